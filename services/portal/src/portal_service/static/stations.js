// Station fields: names complete while typing (WAI-ARIA combobox). Without this file the field is plain text.
"use strict";

const WAIT_MS = 150;

function completeStations(field) {
  const list = document.createElement("ul");
  const count = document.createElement("span");
  let waiting, asking, active;
  list.id = `${field.id}-list`;
  list.className = "station-list";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "駅の候補");
  count.className = "only-read";
  count.setAttribute("role", "status");
  field.after(list, count);
  const traits = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
  for (const [name, value] of Object.entries(traits)) field.setAttribute(name, value);

  const mark = (option) => {
    active?.removeAttribute("aria-selected");
    active = option;
    active?.setAttribute("aria-selected", "true");
    active?.scrollIntoView({ block: "nearest" });
    if (active) field.setAttribute("aria-activedescendant", active.id);
    else field.removeAttribute("aria-activedescendant");
  };
  const show = (open) => {
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    count.textContent = open ? `候補${list.children.length}件` : "";
    mark(undefined);
  };
  const close = () => {
    clearTimeout(waiting);
    asking?.abort();
    show(false);
  };
  const take = (option) => {
    field.value = option.dataset.name;
    close();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  // `always`: also where the name is complete; a full name needs no list over the fields below.
  const ask = async (always) => {
    asking?.abort();
    asking = new AbortController();
    try {
      const query = new URLSearchParams({ typed: field.value });
      const answer = await fetch(`${field.dataset.stations}?${query}`, { signal: asking.signal });
      if (!answer.ok || answer.redirected) return close();
      list.innerHTML = await answer.text();
    } catch {
      return; // the field stays plain text
    }
    const options = [...list.children];
    options.forEach((option, number) => (option.id = `${list.id}-${number}`));
    const complete = options[0]?.dataset.name === field.value.trim();
    show(options.length > 0 && document.activeElement === field && (always || !complete));
  };
  const step = (by) => {
    const options = [...list.children];
    const at = options.indexOf(active) + by;
    mark(options.at(at === -2 ? -1 : at % options.length));
  };

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    if (field.value.trim()) waiting = setTimeout(ask, WAIT_MS);
    else close();
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // the keys belong to the kana conversion
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) step(event.key === "ArrowDown" ? 1 : -1);
      else if (field.value.trim()) ask(true);
    } else if (open && event.key === "Enter" && active) {
      event.preventDefault();
      take(active);
    } else if (event.key === "Escape") {
      if (open) event.preventDefault();
      close(); // also a list that is about to open
    }
  });
  field.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus in the field
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}

for (const field of document.querySelectorAll("[data-stations]")) completeStations(field);
