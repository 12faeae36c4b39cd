// Progressive enhancement: every page works without this file, and native features are preferred.
"use strict";

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// Dialogs: fallback for browsers without `command` and `commandfor`.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[commandfor]");
    if (!button) return;
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    else dialog.close();
  });
}

// Single submission: the second click of a double click finds the button disabled.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of $$("form[data-sent]")) delete form.dataset.sent;
  for (const button of $$("[aria-busy]")) button.removeAttribute("aria-busy");
});

// Row selection: a click anywhere in a row selects it, except on a link or a control.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-selectable]");
  if (!row || event.target.closest("a, button, input, select, textarea, label")) return;
  if (String(window.getSelection())) return;
  const box = row.querySelector(".choose input");
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
  box.focus({ preventScroll: true });
});

// Ranges: with Shift every row from the last one that was ticked; the text of the rows is not marked.
let lastTicked;
document.addEventListener("mousedown", (event) => {
  if (event.shiftKey && event.target.closest("tr[data-selectable]")) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.("tr[data-selectable] .choose input[type=checkbox]")) return;
  const boxes = $$(`input[name="${box.name}"]:enabled`, box.closest("table"));
  const [from, to] = [boxes.indexOf(lastTicked), boxes.indexOf(box)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) for (const between of boxes.slice(from, to)) between.checked = box.checked;
  lastTicked = box;
});

// Conditional fields: shown by a choice.
function openByChoice(root) {
  for (const part of $$("[data-opens-when]:not([data-prepared])", root)) {
    part.dataset.prepared = "yes";
    const [name, values] = part.dataset.opensWhen.split("=");
    const form = part.closest("form");
    const follow = (focus) => {
      const chosen = new FormData(form).getAll(name).some((value) => values.split(" ").includes(value));
      part.hidden = !chosen;
      for (const field of $$("input, select, textarea", part)) field.disabled = Boolean(field.parentElement.closest("[hidden]"));
      part.classList.toggle("opens-now", focus); // not as the page opens
      if (chosen && focus) part.querySelector(":is(input, select, textarea):not([hidden])")?.focus();
    };
    form.addEventListener("change", (event) => event.target.name === name && follow(true));
    follow(false);
  }
}

// Dates: the field accepts many formats; the button opens the browser's own calendar.
function addPickers(root) {
  for (const field of $$("[data-picker]", root)) {
    const picker = document.createElement("input");
    picker.type = field.dataset.picker;
    picker.className = "picker";
    picker.tabIndex = -1;
    picker.setAttribute("aria-hidden", "true");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "picker-button";
    button.textContent = field.dataset.picker === "month" ? "月を選ぶ" : "カレンダー";
    button.addEventListener("click", () => picker.showPicker());
    picker.addEventListener("change", () => {
      if (!picker.value) return;
      field.value = picker.value.replaceAll("-", "/");
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.focus();
    });
    field.after(button, picker);
    delete field.dataset.picker;
  }
}

// Width, case and kana do not count: あくあ, ｱｸｱ and アクア are one.
const folded = (text) =>
  text.normalize("NFKC").toLowerCase().replace(/[ぁ-ゖ]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) + 0x60));

// Dropdowns: a long one becomes one field to type into and choose from (WAI-ARIA combobox).
function addComboboxes(root) {
  for (const select of $$("select[data-search]", root)) {
    delete select.dataset.search;
    completeChoices(select);
  }
}

function completeChoices(select) {
  const field = document.createElement("input");
  const list = document.createElement("ul");
  const count = document.createElement("span");
  const blank = [...select.options].find((option) => !option.value);
  let active;
  Object.assign(field, { type: "text", id: select.id, className: "chooser", autocomplete: "off", placeholder: blank?.text ?? "" });
  Object.assign(list, { id: `${select.id}-list`, className: "choice-list", hidden: true });
  Object.assign(count, { className: "only-read" });
  count.setAttribute("role", "status");
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", select.labels[0]?.firstChild.textContent ?? "");
  const traits = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
  for (const [name, value] of Object.entries(traits)) field.setAttribute(name, value);
  for (const name of ["aria-invalid", "aria-describedby", "required"])
    if (select.hasAttribute(name)) field.setAttribute(name, select.getAttribute(name));
  select.id += "-value";
  select.hidden = true;
  select.after(field, list, count);

  const said = (option) => (option?.value ? option.text : "");
  const restore = () => (field.value = said(select.selectedOptions[0]));
  const mark = (item) => {
    active?.removeAttribute("aria-selected");
    active = item;
    active?.setAttribute("aria-selected", "true");
    active?.scrollIntoView({ block: "nearest" });
    if (active) field.setAttribute("aria-activedescendant", active.id);
    else field.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    count.textContent = "";
    mark(undefined);
  };
  const open = (typed) => {
    const found = [...select.options].filter((option) => folded(option.text).includes(folded(typed.trim())));
    list.replaceChildren(
      ...found.map((option) => {
        const item = document.createElement("li");
        Object.assign(item, { id: `${list.id}-${option.index}`, textContent: option.text });
        item.dataset.index = option.index;
        item.setAttribute("role", "option");
        return item;
      }),
    );
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    count.textContent = `候補${found.length}件`;
    mark(typed.trim() ? list.firstElementChild : list.querySelector(`[data-index="${select.selectedIndex}"]`));
  };
  const take = (index) => {
    select.selectedIndex = index;
    restore();
    close();
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const step = (by) => {
    const items = [...list.children];
    mark(items.at((items.indexOf(active) + by) % items.length));
  };

  field.addEventListener("input", () => open(field.value));
  field.addEventListener("click", () => list.hidden && (field.select(), open("")));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // the keys belong to the kana conversion
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open("");
      else step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !list.hidden && active) {
      event.preventDefault();
      take(Number(active.dataset.index));
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      restore();
      close();
    }
  });
  // What was typed counts only where it names one choice; nothing typed is the choice of nothing.
  field.addEventListener("blur", () => {
    const typed = folded(field.value.trim());
    const fits = [...select.options].filter((option) => folded(said(option)) === typed);
    const likely = fits.length ? fits : [...list.children].map((item) => select.options[item.dataset.index]);
    if (field.value !== said(select.selectedOptions[0]) && likely.length === 1) take(likely[0].index);
    restore();
    close();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus in the field
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) take(Number(item.dataset.index));
  });
  window.addEventListener("pageshow", restore); // a browser that goes back restores the choice
  restore();
}

// Choose all rows of a list, up to the limit of the action, and say how many are chosen.
function addChooseAll(root) {
  for (const head of $$("[data-choose-all]:not([data-prepared])", root)) {
    head.dataset.prepared = "yes";
    const name = head.dataset.chooseAll;
    const form = head.closest("form");
    const boxes = $$(`input[name="${name}"]:enabled`, form).slice(0, Number(head.dataset.limit ?? 100));
    const barred = $$(`input[name="${name}"]:disabled`, form).length;
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", "すべて選択");
    all.title = "すべて選択";
    head.replaceChildren(all);
    const follow = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
      const without = all.checked && barred ? `（選択できない${barred}件を除く）` : "";
      for (const said of $$(`[data-chosen="${name}"]`, form)) said.textContent = chosen ? `${chosen}件を選択中${without}` : "";
    };
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      follow();
    });
    form.addEventListener("change", (event) => event.target.name === name && follow());
    follow();
  }
}

// Copy buttons: shown where the browser lets a page write to the clipboard.
function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of $$("button[data-copy][hidden]", root)) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "コピーしました";
    });
  }
}

// Confirmations: a loaded dialog opens immediately and is removed when closed.
function openDialog(root) {
  for (const dialog of $$("dialog[data-modal]:not([open])", root)) {
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }
}

// Long texts: how much room is left, and a question before unsaved text is left behind.
function watchTexts(root) {
  for (const area of $$("textarea[data-limit]:not([data-prepared])", root)) {
    area.dataset.prepared = "yes";
    const said = document.getElementById(area.dataset.counter);
    const limit = Number(area.dataset.limit);
    const count = () => {
      const left = limit - area.value.length;
      said.textContent = left < 0 ? `${-left}文字多すぎます（${limit}文字まで）` : `あと${left}文字`;
      said.classList.toggle("wrong", left < 0);
    };
    area.addEventListener("input", count);
    count();
  }
  for (const form of $$("form[data-guard]:not([data-prepared])", root)) {
    form.dataset.prepared = "yes";
    window.addEventListener("beforeunload", (event) => {
      if (!form.isConnected || form.dataset.sent) return;
      if ($$("textarea", form).some((area) => area.value !== area.defaultValue)) event.preventDefault();
    });
  }
}

function prepare(root) {
  watchTexts(root);
  openDialog(root);
  openByChoice(root);
  addPickers(root);
  addComboboxes(root);
  addChooseAll(root);
  offerCopies(root);
}
// Parts that were not ready with the page: htmx fetches them, and this does where htmx is missing.
async function fillLateParts() {
  for (const part of $$('[hx-trigger="load"]')) {
    const answer = await fetch(part.getAttribute("hx-get"));
    if (answer.ok && !answer.redirected) part.outerHTML = await answer.text();
  }
}
if (!window.htmx) fillLateParts();

prepare(document);
document.addEventListener("htmx:after:swap", (event) => prepare(event.detail?.target ?? document));
