"""The pages' types of the wire are those of the broker's own messages."""

from __future__ import annotations

from scripts.protocol_types import TARGET, main, render


def test_the_types_on_disk_are_made_from_the_messages_as_they_are_now():
    assert TARGET.read_text(encoding="utf-8") == render()


def test_types_that_are_out_of_date_are_told_with_what_to_run(tmp_path, monkeypatch, capsys):
    old = tmp_path / "web" / "protocol.d.ts"
    old.parent.mkdir()
    old.write_text("// old", encoding="utf-8")
    monkeypatch.setattr("scripts.protocol_types.TARGET", old)
    monkeypatch.setattr("scripts.protocol_types.ROOT", tmp_path)

    assert main(["--check"]) == 1
    assert "scripts/protocol_types.py" in capsys.readouterr().err
    assert old.read_text(encoding="utf-8") == "// old"
