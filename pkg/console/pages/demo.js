"use strict";
{
  const byId = (id) => document.getElementById(id);
  const states = new Map(); // event id -> its cell

  const show = (id, state, text) => {
    const cell = states.get(id);
    if (!cell) return; // an event of an earlier page
    cell.dataset.state = state;
    cell.textContent = text;
  };

  const list = (name, id) => {
    const row = byId("events").insertRow(0);
    row.dataset.id = id;
    row.insertCell().textContent = name;
    const state = row.insertCell();
    const code = document.createElement("code");
    code.textContent = id;
    row.insertCell().append(code);
    states.set(id, state);
    show(id, "waiting", "on its way");
    byId("where").textContent = `sparrow events ${id}`;
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

  addEventListener("DOMContentLoaded", () => {
    const { sparrow } = window;
    if (!sparrow) return complain("The SDK did not load: is the gateway still running?");
    const { key, endpoint } = document.body.dataset;
    sparrow.init({
      key,
      endpoint,
      pageviews: "off", // this page makes the call itself, to list the event's id
      onSettle: (id, reason) => (reason ? show(id, "dropped", `dropped: ${reason}`) : show(id, "durable", "durable")),
    });
    list("pageview", sparrow.pageview());

    byId("purchase").addEventListener("submit", (submit) => {
      submit.preventDefault();
      list("purchase product", sparrow.track("purchase product", { category: byId("category").value, productName: byId("productName").value }));
    });
    byId("custom").addEventListener("submit", (submit) => {
      submit.preventDefault();
      try {
        const given = properties();
        complain("");
        list(byId("name").value, sparrow.track(byId("name").value, given));
      } catch (fault) {
        complain(`Properties: ${fault.message}`);
      }
    });
  });
}
