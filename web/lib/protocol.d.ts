// Made by scripts/protocol_types.py from broker/protocol. Do not edit.

/** What a detector of this console sees of a live call, said again every few seconds while it lasts. No answer. */
export interface Advice {
  type: "advice";
  call_id: string;
  leg_id?: string | null;
  code: "covered" | "frozen" | "silence" | "faces_more" | "faces_none" | "faces_fewer";
  since?: string | null;
}

/** An alert as it stands now, sent at each of its changes; catalogue key `alert.<code>`. */
export interface Alert {
  type: "alert";
  id: string;
  at: string;
  code: AlertCode;
  level: AlertLevel;
  state: "open" | "acknowledged" | "cleared";
  clears: Clears;
  establishment: string;
  call_id: string | null;
  leg_id: string | null;
  post: Post | null;
  by: string | null;
  acked_by: string | null;
  acked_at: string | null;
  cleared_by: string | null;
  cleared_at: string | null;
  outcome: AlertOutcome | null;
}

/** Take an alert: this person is on it. */
export interface AlertAck {
  type: "alert.ack";
  key: string;
  alert_id: string;
}

/** Close an alert: dealt with, or a false alarm. */
export interface AlertClear {
  type: "alert.clear";
  key: string;
  alert_id: string;
  outcome: "dealt" | "no_issue";
}

/** What a post is alerted to; catalogue key `alert.<code>`. Their rules stand in alerts.py. */
export type AlertCode = "unmonitored" | "unsupervised" | "unwatched" | "unwatched_offered" | "unwatched_held" | "check_missed" | "unattended" | "unrecorded" | "watch_list" | "authorisation_expired" | "reflagged" | "patrol_due" | "patrol_overdue" | "disconnected" | "media_blocked" | "self_test_failed" | "no_show" | "help" | "hand" | "ending_five" | "ending_one" | "denied_attempt" | "link_elsewhere" | "warning_unseen" | "attend" | "attend_escalated" | "covered" | "frozen" | "silence" | "faces_more" | "faces_none" | "faces_fewer";

/** How soon an alert asks for an act, the soonest first. */
export type AlertLevel = "urgent" | "warn" | "low" | "info";

/** How an alert was cleared. */
export type AlertOutcome = "dealt" | "no_issue" | "itself";

/** Where a receive line stands in the answer. */
export interface AnswerLine {
  mid: string;
  kind: "audio" | "video";
  index: number;
}

/** The hall is on its way. */
export interface AttendAcknowledge {
  type: "attend.acknowledge";
  key: string;
  call_id: string;
  attend_id: string;
}

/** The hall says how it ended. */
export interface AttendClose {
  type: "attend.close";
  key: string;
  call_id: string;
  attend_id: string;
  outcome: AttendOutcome;
}

/** The hall cannot go: call the orderly officer. */
export interface AttendEscalate {
  type: "attend.escalate";
  key: string;
  call_id: string;
  attend_id: string;
}

/** How the hall's attendance ended; catalogue key `attend_outcome.<code>`. */
export type AttendOutcome = "settled" | "moved" | "removed" | "no_issue" | "handed_over";

/** Why the monitoring post asks the hall to attend a seat; catalogue key `attend.<code>`. */
export type AttendReason = "unlisted_person" | "conduct" | "welfare" | "self_harm" | "contraband" | "equipment" | "other";

/** Ask the hall to attend the seat (features F69). */
export interface AttendRequest {
  type: "attend.request";
  key: string;
  call_id: string;
  reason: AttendReason;
  text?: string;
}

/** A person expected at a leg. */
export interface AttendeePart {
  id: string;
  name: string;
  child: boolean;
  main_caller: boolean;
  verified: boolean;
  relationship: string;
  age: number | null;
}

/** Answer an attention check, by its tile or by its letter. Refused as `wrong_tile` where it is another. */
export interface AttentionAnswer {
  type: "attention.answer";
  key: string;
  check_id: string;
  call_id?: string | null;
  letter?: string | null;
}

/** A check rings at the tile of a call; answer with `attention.answer`. No stage: it is over. */
export interface AttentionCheck {
  type: "attention.check";
  check_id: string;
  call_id: string;
  letter: string;
  asked_at: string;
  stage: CheckStage | null;
}

/** How a live call stands to its tier's limit (features F47, F58). `by`: the staff number of whose look is due. */
export interface AttentionPart {
  limit_s: number;
  unwatched_s: number;
  state: AttentionState;
  looked_at: string | null;
  due_at: string | null;
  in_focus: boolean;
  by: string | null;
  by_name: string | null;
}

/** How a call stands to its tier's limit; catalogue key `monitor.attention.<code>`. */
export type AttentionState = "fine" | "due" | "overdue" | "offered" | "held";

/** What was breached (domain.md 7.7); catalogue key `breach.<code>`. */
export type BreachCategory = "unlisted_person" | "child_alone" | "nudity" | "dress" | "drugs_alcohol" | "threats" | "gang" | "recording" | "relayed_call" | "public_place" | "no_contact" | "intimidation" | "coded_talk" | "contraband" | "self_harm" | "child_safeguarding" | "tampering";

/** What was done about a breach (features F83); catalogue key `breach_outcome.<code>`. */
export type BreachOutcome = "warned" | "paused" | "ended" | "no_action";

/** Take one's own breach back, within a minute. */
export interface BreachWithdraw {
  type: "breach.withdraw";
  key: string;
  call_id: string;
  breach_id: string;
}

/** Put a break that is due off for a while. */
export interface BreakSnooze {
  type: "break.snooze";
  key: string;
}

/** The last message before the server closes; catalogue key `bye.<code>`. */
export interface Bye {
  type: "bye";
  code: "replaced" | "revoked" | "signed_out" | "slow" | "violation" | "shutdown" | "version" | "ticket" | "elsewhere";
}

/** Mark this moment of the call (features F50). */
export interface CallBookmark {
  type: "call.bookmark";
  key: string;
  call_id: string;
}

/** Record a breach with what was done about it (features F83). */
export interface CallBreach {
  type: "call.breach";
  key: string;
  call_id: string;
  category: BreachCategory;
  outcome: BreachOutcome;
  text?: string;
}

/** End the call for good; the page asks twice before it sends this. */
export interface CallEnd {
  type: "call.end";
  key: string;
  call_id: string;
  reason: EndReason;
}

/** A call changed. */
export interface CallMessage {
  type: "call";
  now: string;
  call: CallPart;
}

/** Write an observation note (features F49). */
export interface CallNote {
  type: "call.note";
  key: string;
  call_id: string;
  code: NoteCode;
  text: string;
}

/** A call as staff see it. `seq` rises with every change; an older one is dropped. */
export interface CallPart {
  id: string;
  seq: number;
  kind: string;
  establishment: string;
  hall_id: string;
  hall: string;
  seat_id: string;
  seat: number;
  prisoner_number: string;
  prisoner_initials: string;
  prisoner_name: string;
  tier: number;
  tier_reasons: RiskReason[];
  tier_set_by: string | null;
  first_page: boolean;
  privileged: PrivilegedPart | null;
  synthetic: boolean;
  recorded: boolean;
  phase: "scheduled" | "lobby" | "ready" | "live" | "ended";
  holds: HoldPart[];
  legs: LegPart[];
  starts_at: string;
  ends_at: string;
  started_at: string | null;
  clock_runs: boolean;
  credited_s: number;
  rebook_s: number;
  alarm: "unmonitored" | "unsupervised" | null;
  help_asked: boolean;
  looked_at: string | null;
  attention: AttentionPart | null;
  outcome: Outcome | null;
  end_reason: EndReason | null;
  ended_by: string | null;
  detectors: boolean;
  missing: string[];
}

/** Silence both ends at once. The reason is asked after: `hold.reason`. */
export interface CallPause {
  type: "call.pause";
  key: string;
  call_id: string;
}

/** Write a line to the other post about this call; callers never see it (features F71). */
export interface CallSay {
  type: "call.say";
  key: string;
  call_id: string;
  text: string;
}

/** Show a canned warning to both ends, or again to those legs that have not shown it. */
export interface CallWarn {
  type: "call.warn";
  key: string;
  call_id: string;
  warning: Warning;
  legs?: string[];
}

/** One condition of signing on: what it needs and what the person holds, as codes. */
export interface CheckPart {
  name: "scope" | "one_hall" | "grade" | "other_post" | "browser" | "named" | "guidance" | "device";
  met: boolean;
  needed: string | null;
  held: string | null;
}

/** What the camera and microphone check found. */
export interface CheckReport {
  type: "check.report";
  key: string;
  camera: "ok" | "none" | "blocked" | "test_picture";
  microphone: "ok" | "none" | "blocked" | "test_tone";
  browser?: string;
}

/** How long a check has waited for its answer. */
export type CheckStage = "ring" | "tone" | "missed" | "unattended";

/** A person who passed the identity check. */
export interface CheckedPart {
  name: string;
  document: Document;
}

/** What ends an alert. */
export type Clears = "itself" | "person" | "either";

/** Why a rule said no. Stable; catalogue key `refused.<code>`. */
export type Code = "already_ended" | "not_permitted" | "not_your_post" | "not_your_hall" | "not_on_post" | "unknown_call" | "unknown_leg" | "unknown_hold" | "stale_version" | "wrong_phase" | "wrong_tile" | "too_early" | "too_late" | "not_your_hold" | "undo_expired" | "relabel_expired" | "consent_missing" | "check_missing" | "not_everyone_verified" | "adult_missing" | "person_barred" | "credential_invalid" | "other_post_held" | "profile_holds_other_post" | "grade_too_low" | "not_granted" | "local_rule" | "shared_account" | "guidance_changed" | "console_not_enrolled" | "console_elsewhere" | "console_expired" | "console_revoked" | "scope_differs" | "already_transferred" | "nobody_there" | "transfer_pending" | "unknown_transfer" | "not_on_screen" | "handover_pending" | "unknown_handover" | "unavailable" | "bad_offer" | "synthetic_mix" | "too_many_people" | "prisoner_booked" | "seat_booked" | "contact_booked" | "contact_restricted" | "already_suspended" | "not_suspended" | "bad_end" | "not_on_visitor_list" | "hall_closed" | "kind_not_offered" | "unknown_prisoner" | "unknown_seat" | "seat_out_of_use" | "bad_times" | "already_cancelled" | "unknown_alert" | "cause_stands" | "unknown_tier" | "identity_incomplete" | "text_missing" | "text_too_long" | "text_controls" | "unknown_breach" | "withdraw_expired" | "unknown_attend" | "not_acknowledged" | "bad_photo" | "privileged" | "not_privileged" | "already_privileged" | "looks_not_allowed" | "looks_refused" | "look_running" | "look_too_soon";

/** Another monitor on post, how many of one's live calls their screen shows, and why they cannot take over yet. */
export interface ColleaguePart {
  number: string;
  name: string;
  grade: string;
  since: string;
  live: number;
  proven: number;
  code: Code | null;
}

/** The family accepts the notice of this version (features F10). */
export interface ConsentAccept {
  type: "consent.accept";
  key: string;
  notice_version: string;
}

/** What this browser is enrolled as: the establishment that it serves (NATIONAL: every one), and until when. */
export interface ConsolePart {
  establishment: string | null;
  asset_tag: string | null;
  assured_until: string | null;
  code: Code | null;
  renew: boolean;
}

/** What shows who a person is, at the identity check; catalogue key `document.<code>`. */
export type Document = "passport" | "driving_licence" | "other_photo_id" | "with_adult";

/** Why staff ended a call; catalogue key `end.<code>`. */
export type EndReason = "finished_early" | "conduct" | "unlisted_person" | "security" | "welfare" | "equipment" | "hall_closing" | "identity";

/** The guidance in force: what is new in it (catalogue keys), and which version the person agreed to last. */
export interface GuidancePart {
  version: string;
  effective_from: string;
  changes: string[];
  agreed: string | null;
}

/** A hall. */
export interface HallPart {
  id: string;
  name: string;
}

/** Take the post that was offered. */
export interface HandoverAccept {
  type: "handover.accept";
  key: string;
  handover_id: string;
}

/** Offer the monitoring post of this socket to a named colleague on the same scope. */
export interface HandoverOffer {
  type: "handover.offer";
  key: string;
  number: string;
}

/** To both, once: how an offer ended; catalogue key `monitor.handover.<outcome>`. */
export interface HandoverOver {
  type: "handover.over";
  now: string;
  handover_id: string;
  role: "outgoing" | "incoming";
  outcome: "accepted" | "withdrawn" | "refused" | "timed_out" | "lost" | "not_recorded";
  from_name: string;
  to_name: string;
}

/** An offer of the monitoring post: from whom to whom, until when, and what is open as it passes. */
export interface HandoverPart {
  id: string;
  role: "outgoing" | "incoming";
  from_name: string;
  to_name: string;
  at: string;
  until: string;
  live: number;
  held: number;
  lobby: number;
  proven: number;
  to_watch: number;
}

/** Do not take the post that was offered. */
export interface HandoverRefuse {
  type: "handover.refuse";
  key: string;
  handover_id: string;
}

/** Take one's own offer back. */
export interface HandoverWithdraw {
  type: "handover.withdraw";
  key: string;
  handover_id: string;
}

/** The first message of every socket: the versions the client speaks and its single-use ticket. */
export interface Hello {
  type: "hello";
  protocol: number[];
  ticket: string;
}

/** Clear a hold. `version` is the call's `seq` as last seen: stale is refused. */
export interface HoldClear {
  type: "hold.clear";
  key: string;
  call_id: string;
  hold_id: string;
  version: number;
}

/** Why media is held. Holds are a set: media flows only when it is empty. */
export type HoldKind = "security" | "technical" | "unmonitored" | "unsupervised" | "interrupted" | "incident" | "stood_down" | "recovered" | "unwatched";

/** A hold that stands on a call. */
export interface HoldPart {
  id: string;
  kind: HoldKind;
  post: Post | null;
  by: string | null;
  reason: PauseReason | null;
  placed_at: string;
  undo_until: string | null;
  relabel_until: string | null;
}

/** Say why a hold was placed. */
export interface HoldReason {
  type: "hold.reason";
  key: string;
  call_id: string;
  hold_id: string;
  reason: PauseReason;
}

/** Within 60 s the maker of a security pause may make it a technical one. */
export interface HoldRelabel {
  type: "hold.relabel";
  key: string;
  call_id: string;
  hold_id: string;
}

/** Within 5 s the maker of a pause may undo it. */
export interface HoldUndo {
  type: "hold.undo";
  key: string;
  call_id: string;
  hold_id: string;
}

/** A TURN server for this connection alone, as W3C's RTCIceServer. The credential is short-lived. */
export interface IceServer {
  urls: string[];
  username: string;
  credential: string;
}

/** Why a leg was refused at the identity check; catalogue keys `identity.<code>` and `family.identity.<code>`. */
export type IdentityReason = "not_on_list" | "photo_differs" | "no_id" | "child_alone" | "someone_in_view" | "intoxicated" | "not_visible" | "declined";

/** How a leg's link does, each second. */
export interface LegHealth {
  leg_id: string;
  call_id: string;
  health: "good" | "poor" | "bad" | "none";
  level: number;
  loss: number;
  sends_audio: boolean;
  sends_video: boolean;
  picture: "best" | "reduced" | "none" | null;
}

/** Somebody at this leg asks for a member of staff: the hall's at the laptop, the monitoring post for a family. */
export interface LegHelp {
  type: "leg.help";
  key: string;
  raised?: boolean;
}

/** The person leaves the call for good. */
export interface LegLeave {
  type: "leg.leave";
  key: string;
}

/** A leg of a call as staff see it. */
export interface LegPart {
  id: string;
  role: "prisoner" | "family" | "professional" | "interpreter" | "staff" | "stream";
  people: AttendeePart[];
  step: Step;
  consented: boolean;
  verified: boolean;
  connected: boolean;
  sends: ("audio" | "video")[];
  raised: boolean;
  faces: number | null;
}

/** How far the leg has come, for the staff's eyes (features F76). No answer. */
export interface LegProgress {
  type: "leg.progress";
  step: Step;
}

/** Refuse a leg at the identity check, with the reason that its people are told: the call ends. */
export interface LegRefuse {
  type: "leg.refuse";
  key: string;
  call_id: string;
  leg_id: string;
  reason?: IdentityReason | null;
}

/** Admit a leg: the monitor ticks the people of a family leg, the supervisor the prisoner at the seat. */
export interface LegVerify {
  type: "leg.verify";
  key: string;
  call_id: string;
  leg_id: string;
  people: string[];
  version: number;
  checks?: PersonTicks[];
}

/** What a receive line carries now; no leg: nothing. `home`: of a console's connections, the one with this line. */
export interface LinePart {
  kind: "audio" | "video";
  index: number;
  home: number;
  call_id: string | null;
  leg_id: string | null;
}

/** How many receive lines of each kind an offer should have, and at how many homes of the relay to connect. */
export interface LineWant {
  audio: number;
  video: number;
  homes: number;
}

/** Ask whether the broker hears: answered by `ok`, at once and in every state. Nothing is done. */
export interface LinkCheck {
  type: "link.check";
  key: string;
}

/** The leg is ready and waits in the lobby. */
export interface LobbyEnter {
  type: "lobby.enter";
  key: string;
}

/** The outside caller of a privileged call refuses to be looked at, for the rest of the call. */
export interface LookRefuse {
  type: "look.refuse";
  key: string;
}

/** Look at a privileged call: pictures without sound, for seconds, counted and told to the callers. */
export interface LookStart {
  type: "look.start";
  key: string;
  call_id: string;
}

/** End the look that runs. */
export interface LookStop {
  type: "look.stop";
  key: string;
  call_id: string;
}

/** What the callers of a privileged call are told: whether somebody looks now, how often, and how long at most. */
export interface LooksPart {
  may_look: boolean;
  looking: boolean;
  until: string | null;
  looks: number;
  refused: boolean;
  max_s: number;
  every_min: number;
}

/** The last minutes of each leg's link, once a call comes into focus; later samples are in the news. */
export interface LossHistory {
  type: "loss.history";
  call_id: string;
  every_s: number;
  until: string;
  legs: LossPart[];
}

/** How much a leg's link lost, sample by sample, the newest last: percent, or null where it was not connected. */
export interface LossPart {
  leg_id: string;
  percent: (number | null)[];
}

/** Which posts a person may take at an establishment. */
export interface MayPart {
  establishment: string;
  name: string;
  posts: Post[];
  halls: HallPart[];
  synthetic: boolean;
  pool: boolean;
}

/** The relay's answer, by the home that was asked. */
export interface MediaAnswer {
  type: "media.answer";
  key: string;
  sdp: string;
  lines: AnswerLine[];
  ice_servers: IceServer[];
  home: number;
}

/** What the receive lines carry from now on: lines not named carry nothing. */
export interface MediaLines {
  type: "media.lines";
  lines: LinePart[];
}

/** The browser's offer (RFC 9429): sendonly and recvonly transceivers apart. Answered by `media.answer`. */
export interface MediaOffer {
  type: "media.offer";
  key: string;
  sdp: string;
  home?: number;
}

/** What this page's own link carries of the pictures of the others; said when it changes, to this page alone. */
export interface MediaQuality {
  type: "media.quality";
  picture: "best" | "reduced" | "none";
  dropped: number[];
}

/** Make a new connection with a new offer: more receive lines are needed, or the relay that had the old one is gone. */
export interface MediaReoffer {
  type: "media.reoffer";
  receive: LineWant;
  home: number;
}

/** Agree to what the other side proposed for an establishment. */
export interface MonitoringAccept {
  type: "monitoring.accept";
  key: string;
  establishment: string;
}

/** Turn a proposal down, or take one's own back. */
export interface MonitoringDecline {
  type: "monitoring.decline";
  key: string;
  establishment: string;
}

/** Propose that an establishment passes to the national pool, or back to its own people. */
export interface MonitoringPropose {
  type: "monitoring.propose";
  key: string;
  establishment: string;
  to: Side;
  reason: Reason;
}

/** Each second, to staff: that the broker lives, and how each link does. */
export interface News {
  type: "news";
  now: string;
  legs: LegHealth[];
  proof_age_s: Record<string, number>;
  attention: Record<string, AttentionPart>;
}

/** What an observation note is about; catalogue key `note.<code>`. */
export type NoteCode = "observation" | "conduct" | "welfare" | "child" | "people" | "surroundings" | "equipment" | "other";

/** The notice to accept before the call; its text follows from the kind and this version. */
export interface NoticePart {
  version: string;
  kind: string;
  recorded: boolean;
}

/** The command was done and is on the record. `recorded` false: done, and not yet on the record. */
export interface Ok {
  type: "ok";
  key: string;
  recorded: boolean;
  hold_id: string | null;
}

/** Another leg, as a caller sees it: first names only. */
export interface OtherPart {
  leg_id: string;
  role: string;
  name: string;
  connected: boolean;
}

/** How a call ended: the visit scheduler's list, and TECHNICAL_FAILURE (features F105). */
export type Outcome = "COMPLETED_NORMALLY" | "PRISONER_COMPLETED_EARLY" | "VISITOR_COMPLETED_EARLY" | "PRISONER_REFUSED_TO_ATTEND" | "VISITOR_DID_NOT_ARRIVE" | "VISITOR_FAILED_SECURITY_CHECKS" | "TERMINATED_BY_STAFF" | "ESTABLISHMENT_CANCELLED" | "PRISONER_CANCELLED" | "VISITOR_CANCELLED" | "BATCH_CANCELLATION" | "ADMINISTRATIVE_ERROR" | "TECHNICAL_FAILURE";

/** The supervisor has walked past a privileged call that nobody looks at. */
export interface PatrolLog {
  type: "patrol.log";
  key: string;
  call_id: string;
}

/** Why the hall walks past a privileged call; catalogue key `patrol.<code>`. */
export type PatrolReason = "kind" | "refused" | "post_lost";

/** Asked after a pause has acted; catalogue key `pause.<code>`. */
export type PauseReason = "unlisted_person" | "conduct" | "dress" | "second_device" | "public_place" | "welfare" | "child_welfare" | "equipment" | "other";

/** What was ticked for one person at the identity check. */
export interface PersonTicks {
  id: string;
  name: boolean;
  photo: boolean;
  document?: Document | null;
}

/** The two posts that no one person may hold at once. */
export type Post = "monitor" | "supervisor";

/** This page is off its post, and not by its own word: it does not take the post again by itself. */
export interface PostLeftMessage {
  type: "post.left";
  now: string;
  why: "handed_over" | "transferred" | "console_revoked" | "console_expired";
}

/** A post changed. */
export interface PostMessage {
  type: "post";
  now: string;
  post: PostPart;
}

/** A post as it is staffed. */
export interface PostPart {
  establishment: string;
  hall_id: string | null;
  post: Post;
  state: "on" | "lost" | "off";
  name: string | null;
  since: string | null;
  you: boolean;
  scope: string[];
  pool: boolean;
}

/** Leave the post that this socket holds. */
export interface PostSignOff {
  type: "post.sign_off";
  key: string;
}

/** Take a post: monitoring of one or several establishments, technical supervision of one hall of one. */
export interface PostSignOn {
  type: "post.sign_on";
  key: string;
  post: Post;
  scope: string[];
  hall_id?: string | null;
  guidance: string;
}

/** Each second: the hall page is open and visible; `touched` since the last. No answer. */
export interface Presence {
  type: "presence";
  n: number;
  heard: string;
  visible: boolean;
  touched?: boolean;
}

/** What staff may know of a privileged call: looks at its picture, and patrols. There is no sound. */
export interface PrivilegedPart {
  may_look: boolean;
  looks: number;
  looking: string | null;
  until: string | null;
  next_at: string | null;
  refused: boolean;
  patrol: PatrolReason | null;
  patrol_next_at: string | null;
  patrol_due_at: string | null;
  patrol_overdue: boolean;
  look_max_s: number;
  look_gap_s: number;
}

/** Why an establishment passes; catalogue key `transfer.<code>`. */
export type Reason = "no_monitor" | "short_of_staff" | "fault" | "end_of_cover" | "other";

/** Whether one leg's page has presented a warning: the page visible, the words in view, a frame painted. */
export interface ReceiptPart {
  leg_id: string;
  state: "waiting" | "shown" | "late" | "missed";
  after_s: number | null;
}

/** Entries of a call's record, new or changed. The hall is told of attendance and of the line alone. */
export interface RecordMessage {
  type: "call.record";
  call_id: string;
  entries: RecordPart[];
}

/** One entry of a call's record. `kind` says which fields it has; `by` and names are for staff only. */
export interface RecordPart {
  id: string;
  kind: "note" | "bookmark" | "breach" | "identity" | "attend" | "line";
  at: string;
  by: string;
  clock_s: number | null;
  post: Post;
  code: string | null;
  outcome: string | null;
  text: string;
  people: CheckedPart[];
  absent: string[];
  withdrawn: boolean;
  until: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  escalated_at: string | null;
  closed_at: string | null;
  closed_by: string | null;
}

/** A rule said no. `checks`: of a refused `post.sign_on`, every condition with its answer. */
export interface RefusedMessage {
  type: "refused";
  key: string;
  code: Code;
  checks: CheckPart[];
}

/** To a monitor on post, when it changes: who could relieve them, the offer in progress, the next break. */
export interface Relief {
  type: "relief";
  now: string;
  colleagues: ColleaguePart[];
  handover: HandoverPart | null;
  pool: boolean;
  watch: WatchPart[];
  notes: ShiftNotePart[];
  break_at: string | null;
  break_due: boolean;
  rest_s: number;
}

/** Why a call has its tier (broker/domain/risk.py); catalogue key `risk.<code>`. */
export type RiskReason = "watch_list" | "terrorism" | "escape" | "no_contact_order" | "child_contact" | "authorised" | "moved" | "authorisation_expired" | "harm_to_others" | "public_protection" | "self_harm" | "restriction_near" | "child";

/** A seat changed. */
export interface SeatMessage {
  type: "seat";
  now: string;
  seat: SeatPart;
}

/** A seat in the hall, with its one state (features F29). */
export interface SeatPart {
  id: string;
  hall_id: string;
  number: number;
  state: "out_of_use" | "offline" | "free" | "waiting" | "verify" | "ready" | "live" | "paused" | "fault" | "help";
  asset_tag: string | null;
  call_id: string | null;
}

/** What the shift before left to read: who, when, what. */
export interface ShiftNotePart {
  id: string;
  name: string;
  at: string;
  text: string;
}

/** What the page's main thread knows of one picture of a tile, over the last second (wall.md 4). */
export interface ShownLeg {
  leg_id: string;
  line?: number | null;
  home?: number;
  still?: number | null;
  frames?: number;
  rtp_timestamp?: number | null;
  advanced?: boolean;
  ratio?: number;
  unobscured?: boolean;
  width?: number;
  height?: number;
}

/** One call on the wall. */
export interface ShownTile {
  call_id: string;
  legs: ShownLeg[];
}

/** Who monitors an establishment. */
export type Side = "establishment" | "pool";

/** All that a staff page may see now; sent after `welcome` and after a post changes hands. */
export interface Snapshot {
  type: "snapshot";
  now: string;
  you_hold: PostPart | null;
  calls: CallPart[];
  posts: PostPart[];
  seats: SeatPart[];
  alerts: Alert[];
}

/** How a place where the person may sign on stands now: its posts, and the calls that wait or run there. */
export interface StationPart {
  establishment: string;
  posts: PostPart[];
  monitors: string[];
  live: number;
  lobby: number;
  notes: ShiftNotePart[];
}

/** To staff who are on no post: how the places stand where they may sign on. Sent when it changes. */
export interface Stations {
  type: "stations";
  now: string;
  stations: StationPart[];
  console: ConsolePart | null;
}

/** How far a leg has come (features F76); catalogue key `step.<code>`. */
export type Step = "away" | "link_opened" | "consented" | "media_chosen" | "lobby" | "connecting" | "connected";

/** A still of a leg for which this console has no line: one every few seconds, while its picture may be seen. */
export interface StillMessage {
  type: "still";
  call_id: string;
  leg_id: string;
  n: number;
  jpeg: string;
}

/** Who of a family may not take part, up to and with which day. */
export interface SuspensionPart {
  name: string;
  until: string;
  reason: SuspensionReason | null;
  appeal: string | null;
}

/** Why a person's visits are suspended; catalogue keys `suspension.<code>` and `family.suspended.<code>`. */
export type SuspensionReason = "conduct" | "dress" | "recording" | "unlisted_person" | "false_identity" | "threats" | "security";

/** A transfer in progress: to which side, who proposed it, and whether this page's side may answer. */
export interface TransferPart {
  to: Side;
  reason: Reason;
  by_name: string;
  until: string;
  agreed: boolean;
  yours: boolean;
}

/** The call as a caller sees it. Sent at once and after every change. */
export interface VisitMessage {
  type: "visit";
  now: string;
  call_id: string | null;
  leg_id: string | null;
  screen: "none" | "notice" | "check" | "lobby" | "call" | "paused" | "ended";
  kind: string;
  privileged: LooksPart | null;
  people: AttendeePart[];
  others: OtherPart[];
  notice: NoticePart | null;
  starts_at: string | null;
  ends_at: string | null;
  started: boolean;
  waiting: WaitPart[];
  late_min: number;
  pause: "staff" | "fault" | "you" | "other_end" | "no_officer" | null;
  pause_reason: PauseReason | null;
  clock_runs: boolean;
  returned_s: number;
  rebook_s: number;
  hand: boolean;
  end: "time" | "staff" | "you" | "other_end" | "fault" | "not_started" | "cancelled" | "identity" | "suspended" | null;
  end_reason: EndReason | null;
  identity: IdentityReason | null;
  suspension: SuspensionPart | null;
  synthetic: boolean;
}

/** Who the lobby waits for, without names of staff (features F16). */
export interface WaitPart {
  who: "you" | "officer" | "prisoner" | "hall" | "family";
  ready: boolean;
  detail: string | null;
}

/** Have this call in focus, and hear it alone where `sound` is wanted; none: no call is in focus. */
export interface WallFocus {
  type: "wall.focus";
  key: string;
  call_id?: string | null;
  sound?: boolean;
}

/** Each second: what the wall presents of every call. The server judges. No answer. */
export interface WallProof {
  type: "wall.proof";
  n: number;
  heard: string;
  visible: boolean;
  busy?: boolean;
  tiles: ShownTile[];
}

/** What the monitoring post may say to both ends; catalogue key `warning.<code>`. */
export type Warning = "language" | "dress" | "stay_in_view" | "second_device" | "unlisted_person" | "five_minutes" | "final";

/** A warning of the monitoring post, to be shown until read; answer with `warning.shown`. */
export interface WarningMessage {
  type: "warning";
  warning_id: string;
  warning: Warning;
  at: string;
}

/** The page has shown the warning with this id. No answer. */
export interface WarningShown {
  type: "warning.shown";
  warning_id: string;
}

/** Where a warning has been shown. */
export interface WarningState {
  type: "warning.state";
  call_id: string;
  warning_id: string;
  warning: Warning;
  at: string;
  shown_by: string[];
  legs: ReceiptPart[];
}

/** Which side monitors an establishment that this person may speak for. */
export interface WatchPart {
  establishment: string;
  name: string;
  side: Side;
  transfer: TransferPart | null;
}

/** The answer to `hello`: who you are, and how many receive lines to offer. */
export interface Welcome {
  type: "welcome";
  protocol: number;
  now: string;
  you: YouStaff | YouLeg | YouLaptop;
  receive: LineWant;
  demo: boolean;
}

/** An enrolled laptop; its call comes with `visit` when there is one. */
export interface YouLaptop {
  chair: "laptop";
  device_id: string;
  asset_tag: string;
  seat: number | null;
}

/** A leg of a call, on the family's page. */
export interface YouLeg {
  chair: "family";
  leg_id: string;
  call_id: string;
}

/** A signed-in member of staff. */
export interface YouStaff {
  chair: "staff";
  name: string;
  number: string;
  grade: string;
  may: MayPart[];
  guidance: GuidancePart;
}

export type ClientMessage = Hello | LinkCheck | ConsentAccept | CheckReport | LegProgress | LobbyEnter | MediaOffer | LegLeave | LegHelp | WarningShown | PostSignOn | PostSignOff | HandoverOffer | HandoverAccept | HandoverRefuse | HandoverWithdraw | MonitoringPropose | MonitoringAccept | MonitoringDecline | BreakSnooze | CallPause | HoldReason | HoldRelabel | HoldUndo | HoldClear | CallEnd | LegVerify | LegRefuse | AlertAck | AlertClear | Advice | CallWarn | CallNote | CallBookmark | CallBreach | BreachWithdraw | AttendRequest | AttendAcknowledge | AttendEscalate | AttendClose | CallSay | LookStart | LookStop | PatrolLog | LookRefuse | WallFocus | AttentionAnswer | WallProof | Presence;

export type ServerMessage = Welcome | Ok | RefusedMessage | MediaAnswer | MediaLines | MediaQuality | AttentionCheck | StillMessage | MediaReoffer | VisitMessage | WarningMessage | Snapshot | Stations | Relief | HandoverOver | PostLeftMessage | CallMessage | PostMessage | SeatMessage | News | Alert | LossHistory | WarningState | RecordMessage | Bye;
