"use strict";
{
  const byId = (id) => document.getElementById(id);
  const events = new Map(); // event id -> its card
  const SHOWN = 20; // cards kept on the page
  const OFTEN = 300; // ms between questions while events are on their way
  const SELDOM = 2000; // ms between them when the gateway is away, or an event waits for long

  /** An element with properties (data- names too) and children, which are text or elements. */
  const element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  const steps = [
    ["sent", "Recorded in this page"],
    ["stored", "Stored in this browser"],
    ["durable", "Durable in the journal"],
    ["warehouse", "In the warehouse"],
  ];

  /** What a step of an event's trail says now. */
  const step = (card, name, state, note = "") => {
    const item = card.steps[name];
    item.dataset.state = state;
    item.lastChild.textContent = note;
  };

  const elapsed = (card) => {
    const ms = Math.round(performance.now() - card.began);
    return ms < 1000 ? `after ${ms} ms` : `after ${(ms / 1000).toFixed(1)} s`;
  };

  const kept = (id) => {
    try {
      return Object.keys(localStorage).some((key) => key.endsWith(id));
    } catch {
      return false; // storage is blocked: the SDK keeps the event in memory
    }
  };

  /** Adds the card of an event that was just recorded. */
  const add = (name, id) => {
    const card = { id, began: performance.now(), steps: {}, vendors: element("div") };
    for (const [key, text] of steps) card.steps[key] = element("li", { "data-step": key }, text, element("small"));
    const title = element("div", { className: "title" }, element("h3", {}, name), element("code", {}, id));
    card.item = element("li", { "data-id": id }, title, element("ol", { className: "steps" }, ...Object.values(card.steps)), card.vendors);
    byId("events").prepend(card.item);
    events.set(id, card);
    for (const [old, { item }] of [...events].slice(0, -SHOWN)) {
      item.remove();
      events.delete(old);
    }
    step(card, "sent", "done", new Date().toLocaleTimeString());
    if (kept(id)) step(card, "stored", "done", elapsed(card));
    else step(card, "stored", "failed", "no storage: kept in memory");
    step(card, "durable", "busy", "on its way");
    byId("where").textContent = `bin/sparrow events ${id} --request`;
    follow();
  };

  /** The SDK's word on an event: the gateway holds it, or it was given up. */
  const settled = (id, reason) => {
    const card = events.get(id);
    if (!card) return; // an event of an earlier page
    step(card, "durable", reason ? "failed" : "done", reason ? `given up: ${reason}` : elapsed(card));
    if (reason) card.over = true;
    else step(card, "warehouse", "busy", "on its way");
  };

  const tones = { delivered: "good", pending: "busy", rejected: "bad", expired: "bad", uncertain: "bad" };

  const outcome = ({ outcome, reason }) => {
    if (reason === "dry-run") return ["good", "dry run: built, not sent"];
    return [tones[outcome] ?? "quiet", `${outcome === "filtered" ? "held back" : outcome}${reason ? `: ${reason}` : ""}`];
  };

  const request = ({ method, url, header, body }) => {
    const headers = Object.entries(header ?? {}).map(([name, value]) => `${name}: ${value}\n`);
    return element("pre", { tabIndex: 0 }, element("code", {}, `${method} ${url}\n${headers.join("")}\n${body}`));
  };

  const property = ([name, verdict]) => element("li", { "data-tone": verdict === "allowed" ? "good" : "bad" }, `${name}: ${verdict}`);

  /** What became of the event at one vendor, with the exact requests. */
  const vendor = (result) => {
    const [tone, words] = outcome(result);
    const row = element("details", { className: "vendor", "data-tracker": result.tracker, "data-outcome": result.outcome });
    row.append(element("summary", {}, element("b", {}, result.tracker), element("span", { "data-tone": tone }, words)));
    const properties = Object.entries(result.properties ?? {});
    if (properties.length) row.append(element("ul", { className: "properties" }, ...properties.map(property)));
    if (result.error) row.append(element("p", { className: "problem" }, result.error));
    row.append(...(result.requests?.map(request) ?? [element("p", {}, "No request is made.")]));
    return row;
  };

  /** Shows how far an event has come; over, when nothing more can change. */
  const show = ({ eventId, trackers }) => {
    const card = events.get(eventId);
    if (!card || card.over) return;
    if (!card.arrived) {
      card.arrived = true;
      step(card, "durable", "done", card.steps.durable.lastChild.textContent.replace("on its way", ""));
      step(card, "warehouse", "done", elapsed(card));
    }
    const now = JSON.stringify(trackers);
    if (now === card.shown) return;
    card.shown = now;
    const open = new Set([...card.vendors.children].filter((row) => row.open).map((row) => row.dataset.tracker));
    card.vendors.replaceChildren(...trackers.map(vendor));
    for (const row of card.vendors.children) row.open = open.has(row.dataset.tracker);
    card.over = trackers.length > 0 && trackers.every(({ outcome }) => outcome !== "pending");
    if (card.over) byId("said").textContent = `${card.item.querySelector("h3").textContent}: ${trackers.map((result) => `${result.tracker} ${outcome(result)[1]}`).join(", ")}`;
  };

  let timer;

  /** Asks where the events are until each is where it goes. */
  const follow = (wait = OFTEN) => {
    timer ??= setTimeout(ask, wait);
  };

  const ask = async () => {
    timer = undefined;
    const open = [...events.values()].filter((card) => !card.over);
    if (!open.length) return;
    let wait = open.some((card) => performance.now() - card.began < 15_000) ? OFTEN : SELDOM;
    try {
      const answer = await fetch(`/demo/ways?${new URLSearchParams(open.map(({ id }) => ["id", id]))}`);
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      (await answer.json()).forEach(show);
      byId("away").hidden = true;
    } catch {
      byId("away").hidden = false;
      wait = SELDOM;
    }
    follow(wait);
  };

  const properties = () => {
    const value = JSON.parse(byId("properties").value.trim() || "{}");
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("an object is needed, such as {\"rows\": 42}");
    return value;
  };

  const complain = (text) => {
    byId("problem").textContent = text;
    byId("problem").hidden = !text;
  };

  /** Handles a form's submission here instead of by a request. */
  const on = (form, act) =>
    byId(form).addEventListener("submit", (submit) => {
      submit.preventDefault();
      act(submit);
    });

  /** Signs the visitor in, or forgets who it was: later events say so. */
  const visitor = (sparrow, { submitter }) => {
    const user = byId("user").value.trim();
    const signIn = submitter?.value !== "out" && user;
    if (signIn) sparrow.identify(user);
    else sparrow.reset();
    byId("who").textContent = signIn ? `Signed in as ${user}: later events say so.` : "Anonymous, with a new device id.";
  };

  addEventListener("DOMContentLoaded", () => {
    const { sparrow } = window;
    if (!sparrow) return complain("The SDK did not load: is the gateway still running?");
    const { key, endpoint } = document.body.dataset;
    sparrow.init({ key, endpoint, pageviews: "off", onSettle: settled }); // the pageview is recorded here, to know its id
    add("pageview", sparrow.pageview());

    on("visitor", (submit) => visitor(sparrow, submit));
    on("purchase", () => add("purchase product", sparrow.track("purchase product", { category: byId("category").value, productName: byId("productName").value })));
    on("custom", () => {
      try {
        const given = properties();
        complain("");
        add(byId("name").value, sparrow.track(byId("name").value, given));
      } catch (fault) {
        complain(`Properties: ${fault.message}`);
      }
    });
  });
}
