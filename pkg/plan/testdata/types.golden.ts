// Made by `sparrow plan types` of the plan 4a538196aa39. Make it again when the plan changes.
import type {} from "@sparrow-edge/sdk";

/** The tracking plan: events by name, and their properties. */
export interface PlanEvents {
  "*/ }; declare const escaped: true; /*": {
    /** *\/*\/ */
    "*/"?: string;
  };
  "//": Record<string, never>;
  logout: Record<string, never>;
  /** A page was shown. */
  pageview: {
    pathname?: string;
  };
  /**
   * The visitor bought something. *\/ declare const escaped: true; /*
   *
   * The second paragraph.
   */
  "purchase product": {
    at?: string | Date;
    broken?: never | 16;
    /** One line *\/ only */
    category: string;
    count?: number;
    free?: Record<string, unknown>;
    gift?: boolean;
    items?: {
      id?: string;
      place?: {
        aisle?: string;
      };
      "shelf no"?: number;
    }[];
    list?: unknown[];
    matrix?: number[][];
    nothing?: Record<string, never>;
    price: number;
    rate?: 1 | 1.1 | -2;
    size?: "S" | "M" | "L \"large\"";
    sizes?: ("S" | "M")[];
    whatever?: unknown;
  };
  "quo\"te' `back` ${x} \\ slash": {
    "two words"?: string;
  };
  "\u2028 line \u003c/script\u003e": {
    "2nd"?: number;
    __proto__?: string;
    constructor?: string;
    readonly?: string;
    "ünïcode"?: string;
  };
}

declare module "@sparrow-edge/sdk" {
  interface Events extends PlanEvents {}
}
