/** A page of a site without a plan's types: any name and properties, and a map of one's own. */
import { createSparrow, sparrow } from "@sparrow-edge/sdk";

sparrow.track("anything") satisfies string;
sparrow.track("anything", { at: "all" });
// @ts-expect-error a name is text
sparrow.track(1);
// @ts-expect-error properties are an object
sparrow.track("anything", "at all");

const own = createSparrow<{ search: { query: string } }>();
own.track("search", { query: "x" });
// @ts-expect-error not in the map
own.track("find", { query: "x" });
