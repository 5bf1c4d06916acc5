// Keys: c new, / search, ? help, g and a letter to go; j and k move, enter opens, x selects, esc goes back.

import { select } from "./lists.js";

/** @returns {HTMLElement[]} */
const rows = () => [...document.querySelectorAll(".ledger tbody tr[data-id]")].map((r) => /** @type {HTMLElement} */ (r));

/** @returns {HTMLElement | undefined} */
const current = () => rows().find((row) => row.classList.contains("cursor"));

/** Moves the cursor to a row, and keeps it for the way back.
 * @param {HTMLElement | undefined} row */
export function moveTo(row) {
  if (!row) return;
  current()?.classList.remove("cursor");
  row.classList.add("cursor");
  row.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement | null} */ (row.querySelector("a[href]"))?.focus({ preventScroll: true });
  sessionStorage.setItem("cursor " + location.pathname, row.dataset.id ?? "");
}

/** Shows where a page is in the list that it was opened from, and leads to those before and behind it.
 * @param {ParentNode} root */
function neighbours(root) {
  const place = root.querySelector("[data-neighbours]");
  if (!(place instanceof HTMLElement)) return;
  const up = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a[data-up]"));
  /** @type {string[]} */
  const ids = JSON.parse(sessionStorage.getItem("rows " + (up ? new URL(up.href).pathname : "")) ?? "[]");
  const at = ids.indexOf(place.dataset.neighbours ?? "");
  if (at < 0) return;
  place.hidden = false;
  const text = place.querySelector("span");
  if (text) text.textContent = `${at + 1} of ${ids.length}`;
  for (const [link, id] of /** @type {[string, string | undefined][]} */ ([["prev", ids[at - 1]], ["next", ids[at + 1]]])) {
    const anchor = place.querySelector(`a[rel=${link}]`);
    if (!(anchor instanceof HTMLAnchorElement)) continue;
    anchor.hidden = !id;
    if (id) anchor.href = `${up ? new URL(up.href).pathname : ""}/${id}`;
  }
}

/** @param {number} by */
function step(by) {
  const all = rows();
  if (all.length === 0) {
    /** @type {HTMLAnchorElement | null} */ (document.querySelector(`[data-neighbours] a[rel=${by > 0 ? "next" : "prev"}]:not([hidden])`))?.click();
    return;
  }
  const at = all.findIndex((row) => row.classList.contains("cursor"));
  moveTo(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]);
}

/** Whether keys belong to an element, such as a text field.
 * @param {EventTarget | null} target */
function writes(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) ||
    (target instanceof HTMLInputElement && !/^(checkbox|radio|button|submit)$/.test(target.type)));
}

/** Goes back to the list from which the page was opened. */
function back() {
  const up = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a[data-up]"));
  if (up) location.href = sessionStorage.getItem("list " + new URL(up.href).pathname) ?? up.href;
}

let going = 0; // the time of a g

/** @type {Record<string, (event: KeyboardEvent) => void>} */
const actions = {
  "/": () => /** @type {HTMLElement | null} */ (document.querySelector(".bar input[type=search]") ?? document.getElementById("jump"))?.focus(),
  "?": () => /** @type {HTMLDialogElement} */ (document.getElementById("keys")).showModal(),
  c: () => { if (document.querySelector("[data-go=c]")) location.href = "/cases/new"; },
  g: () => { going = Date.now(); },
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  x: (event) => select(current(), event.shiftKey),
  X: () => select(current(), true),
  Enter: () => /** @type {HTMLAnchorElement | null} */ (current()?.querySelector("a[href]"))?.click(),
  Escape: back,
};

export function keys() {
  neighbours(document);
  document.addEventListener("renewed", (event) => neighbours(/** @type {CustomEvent<Element>} */ (event).detail));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (writes(event.target)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    if (Date.now() - going < 1500) {
      going = 0;
      const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(`a[data-go="${CSS.escape(event.key)}"]`));
      if (link) {
        event.preventDefault();
        link.click();
      }
      return;
    }
    const page = /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(event.key)}"]`));
    const pressed = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
    if (event.key === "Enter" && pressed) return;
    const action = page ? () => page.click() : actions[event.key];
    if (!action || (event.key.startsWith("Arrow") && rows().length === 0)) return;
    event.preventDefault();
    action(event);
  });
  document.addEventListener("click", (event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest(".ledger tbody tr[data-id]");
    if (row instanceof HTMLElement && row.dataset.id) sessionStorage.setItem("cursor " + location.pathname, row.dataset.id);
  });
  if (rows().length > 0) {
    sessionStorage.setItem("list " + location.pathname, location.href);
    sessionStorage.setItem("rows " + location.pathname, JSON.stringify(rows().map((row) => row.dataset.id)));
    const kept = sessionStorage.getItem("cursor " + location.pathname);
    const row = rows().find((r) => r.dataset.id === kept);
    if (row) row.classList.add("cursor");
  }
}
