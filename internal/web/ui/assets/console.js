// The console's scripts. Pages work without them, except for live updates.
import { keys } from "./keys.js";
import { live } from "./live.js";
import { forms } from "./forms.js";
import { lists } from "./lists.js";
import { presence } from "./presence.js";

/** Copies a text, and shows on the button that it did.
 * @param {HTMLElement} button
 * @param {string} text */
async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  button.classList.add("done");
  const label = button.getAttribute("aria-label") ?? "";
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.classList.remove("done");
    button.setAttribute("aria-label", label);
  }, 1500);
}

/** Returns the curl command of an API call, such as "GET /v1/cases".
 * @param {string} call */
function curl(call) {
  const [method, path] = call.split(" ", 2);
  const flags = method === "GET" ? "" : ` -X ${method} -H 'Content-Type: application/json' -d @body.json`;
  return `curl${flags} -H "Authorization: Bearer $CASEHOOK_TOKEN" '${location.origin}${path.replaceAll("'", "%27")}'`;
}

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest("[data-copy], [data-copy-curl], [data-theme-switch], [data-dialog], [aria-disabled=true]"));
  if (!button) return;
  if (button.ariaDisabled === "true") {
    event.preventDefault();
  } else if (button.dataset.copy !== undefined) {
    copy(button, button.dataset.copy);
  } else if (button.dataset.copyCurl !== undefined) {
    copy(button, curl(button.dataset.copyCurl));
  } else if (button.dataset.dialog !== undefined) {
    const dialog = /** @type {HTMLDialogElement} */ (document.getElementById(button.dataset.dialog));
    dialog.showModal();
  } else {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", dark ? "light" : "dark");
  }
});

/** Shows times in the reader's zone: those of today by the clock, the others by the day.
 * @param {ParentNode} root */
export function times(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[data-time]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    const clock = at.toLocaleTimeString("en-GB");
    const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    const sameYear = at.getFullYear() === new Date().getFullYear();
    element.textContent = at.toDateString() === today ? clock : sameYear ? `${day} ${clock.slice(0, 5)}` : `${day} ${at.getFullYear()}`;
    element.setAttribute("title", at.toLocaleString("en-GB", { timeZoneName: "short" }));
  }
}

/** Fills in fields of a form from the address's fragment, which is never sent to the server, and removes it. */
function fragment() {
  const values = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of values) {
    const field = document.querySelector(`form[data-fragment] [name="${CSS.escape(name)}"]`);
    if (!(field instanceof HTMLInputElement)) continue;
    field.value = value;
    history.replaceState(null, "", location.pathname + location.search);
  }
}

addEventListener("hashchange", fragment);
times(document);
fragment();
keys();
lists();
forms();
live();
presence();
