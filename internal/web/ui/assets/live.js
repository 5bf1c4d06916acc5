// Live pages: the server sends an event when something was committed, and the page gets itself again. Regions with
// data-live are replaced where they are. Rows of a list that are new wait behind a button, so that nothing jumps.

import { times } from "./console.js";

/** @typedef {{swap: (options: object) => Promise<void>}} Htmx */

const state = { paused: sessionStorage.getItem("live paused") === "1", connected: false, busy: false, again: false };

/** Shows whether the page is live. */
function show() {
  for (const badge of document.querySelectorAll("[data-live-badge]")) {
    const text = badge.querySelector(".live");
    if (text) {
      text.textContent = state.paused ? "Paused" : state.connected ? "Live" : "Not live";
      text.setAttribute("data-state", state.paused ? "paused" : state.connected ? "live" : "lost");
    }
    const button = badge.querySelector("button");
    if (button) button.setAttribute("aria-pressed", String(state.paused));
  }
}

/** Gets the page again, and brings in what is new. */
async function refresh() {
  if (state.paused || document.hidden) return;
  if (state.busy) {
    state.again = true;
    return;
  }
  state.busy = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    update(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } finally {
    state.busy = false;
    if (state.again) {
      state.again = false;
      setTimeout(refresh, 500);
    }
  }
}

/** @param {Document} fresh */
function update(fresh) {
  for (const region of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(region.id);
    if (!next) continue;
    prepare(region, next);
    if (next.isEqualNode(region)) continue;
    const body = region.querySelector("tbody[data-rows]");
    const newer = body ? rows(body, next) : 0;
    if (newer > 0) {
      announce(region, next, newer);
    } else if (!region.contains(document.activeElement) || region.querySelector("tbody")) {
      replace(region, next);
    }
  }
}

/** Updates the rows that are there, and returns how many there are not.
 * @param {Element} body @param {Element} next */
function rows(body, next) {
  let newer = 0;
  for (const row of next.querySelectorAll("tbody[data-rows] tr[data-id]")) {
    const id = /** @type {HTMLElement} */ (row).dataset.id ?? "";
    const here = body.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
    if (!here) {
      newer++;
      continue;
    }
    times(row);
    for (const [at, cell] of [...here.cells].entries()) {
      const fresh = /** @type {HTMLTableRowElement} */ (row).cells[at];
      if (fresh && !cell.classList.contains("pick") && cell.innerHTML !== fresh.innerHTML && !cell.contains(document.activeElement)) {
        cell.replaceChildren(...fresh.cloneNode(true).childNodes); // next is needed whole
      }
    }
  }
  return newer;
}

/** Shows how many rows wait; a press brings them in.
 * @param {Element} region @param {Element} next @param {number} newer */
function announce(region, next, newer) {
  const button = document.querySelector("[data-newer]");
  if (!(button instanceof HTMLElement)) {
    replace(region, next);
    return;
  }
  button.hidden = false;
  button.querySelector("span")?.replaceChildren(`${newer} new`);
  button.onclick = () => {
    button.hidden = true;
    replace(region, next);
  };
}

/** Brings into the next region what scripts and people have done in this one. It is done before the region is replaced:
 * a key that is pressed meanwhile would be lost.
 * @param {Element} region @param {Element} next */
function prepare(region, next) {
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (region.querySelectorAll(".pick input"));
  for (const box of boxes) box.toggleAttribute("checked", box.checked);
  const chosen = new Set([...boxes].filter((b) => b.checked).map((b) => b.closest("tr")?.getAttribute("data-id")));
  const cursor = region.querySelector("tr.cursor")?.getAttribute("data-id");
  times(next);
  for (const box of next.querySelectorAll("tr[data-id] .pick input")) {
    if (chosen.has(box.closest("tr")?.getAttribute("data-id"))) box.setAttribute("checked", "");
  }
  if (cursor) next.querySelector(`tr[data-id="${CSS.escape(cursor)}"]`)?.classList.add("cursor");
  document.dispatchEvent(new CustomEvent("renewed", { detail: next }));
}

/** @param {Element} region @param {Element} next */
function replace(region, next) {
  prepare(region, next); // a press may bring the next one in long after it came
  /** @type {{htmx: Htmx}} */ (/** @type {unknown} */ (window)).htmx.swap({ target: region, text: next.outerHTML, swap: "outerMorph" }).then(show);
}

export function live() {
  if (!document.querySelector("[data-live]")) return;
  for (const badge of document.querySelectorAll("[data-live-badge] button")) {
    badge.addEventListener("click", () => {
      state.paused = !state.paused;
      sessionStorage.setItem("live paused", state.paused ? "1" : "0");
      show();
      refresh();
    });
  }
  const events = new EventSource("/live");
  events.addEventListener("open", () => {
    const lost = !state.connected;
    state.connected = true;
    show();
    if (lost) refresh();
  });
  events.addEventListener("error", () => {
    state.connected = false;
    show();
  });
  events.addEventListener("changed", refresh);
  document.addEventListener("visibilitychange", refresh);
  window.addEventListener("pagehide", () => events.close());
  show();
}
