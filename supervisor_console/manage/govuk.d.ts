// What we use of govuk-frontend, which brings no types.
declare module "govuk-frontend" {
  export class Button {}
  export class ErrorSummary {}
  export class SkipLink {}
  export function createAll(component: unknown): void;
  export function isSupported(): boolean;
}
