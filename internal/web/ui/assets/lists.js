// Lists: selected rows, and what is done with them.

/** @param {Element} list @returns {HTMLInputElement[]} */
const boxes = (list) => [...list.querySelectorAll("tbody .pick input[type=checkbox]")].map((b) => /** @type {HTMLInputElement} */ (b));

/** @type {HTMLInputElement | undefined} */
let last;

/** Selects a row or clears it; with all, every row between it and the one before.
 * @param {HTMLElement | undefined} row @param {boolean} all */
export function select(row, all) {
  const box = row?.querySelector(".pick input");
  if (!(box instanceof HTMLInputElement)) return;
  box.checked = all || !box.checked;
  picked(box, all);
}

/** @param {HTMLInputElement} box @param {boolean} all */
function picked(box, all) {
  const list = box.closest(".list");
  if (!list) return;
  const every = boxes(list);
  if (all && last && every.includes(last)) {
    const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
    for (const between of every.slice(from, to + 1)) between.checked = box.checked;
  }
  last = box;
  show(list);
}

/** Shows how many rows are selected.
 * @param {Element} list */
function show(list) {
  const every = boxes(list);
  const chosen = every.filter((b) => b.checked);
  for (const b of every) b.closest("tr")?.setAttribute("aria-selected", String(b.checked));
  const bar = list.querySelector(".selection");
  if (bar instanceof HTMLElement) {
    bar.hidden = chosen.length === 0;
    const count = bar.querySelector("[data-count]");
    if (count) count.textContent = `${chosen.length} selected`;
  }
  const head = list.querySelector("thead .pick input");
  if (head instanceof HTMLInputElement) {
    head.checked = chosen.length > 0 && chosen.length === every.length;
    head.indeterminate = chosen.length > 0 && chosen.length < every.length;
  }
}

export function lists() {
  for (const list of document.querySelectorAll(".list")) {
    list.addEventListener("click", (event) => {
      const box = event.target;
      if (box instanceof HTMLInputElement && box.closest("tbody .pick")) {
        picked(box, event instanceof MouseEvent && event.shiftKey);
      }
      if (box instanceof HTMLInputElement && box.closest("thead .pick")) {
        for (const b of boxes(list)) b.checked = box.checked;
        show(list);
      }
      if (box instanceof Element && box.closest("[data-clear]")) {
        for (const b of boxes(list)) b.checked = false;
        show(list);
      }
    });
    show(list);
  }
  document.addEventListener("renewed", (event) => {
    const next = /** @type {CustomEvent<Element>} */ (event).detail;
    if (next.matches(".list")) show(next);
  });
}
