// What we use of @vladmandic/human, whose own types are not served beside it.
declare module "*/human.esm.js" {
  export interface Tensor {
    dispose(): void;
  }
  export interface Found {
    boxScore: number;
    box: [number, number, number, number];
  }
  export class Human {
    constructor(config: object);
    tf: {
      getBackend(): string;
      tensor4d(values: Float32Array, shape: [number, number, number, number]): Tensor;
    };
    load(): Promise<void>;
    init(): Promise<void>;
    models: { loaded(): string[] };
    detect(input: Tensor): Promise<{ face: Found[]; error?: string | null }>;
  }
}
