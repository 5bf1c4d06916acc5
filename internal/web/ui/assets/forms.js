// Forms: drafts that survive a reload, lists of values that grow and shrink, files that are dropped, and dialogs.

/** @param {HTMLFormElement} form */
const key = (form) => "draft " + location.pathname + " " + form.dataset.draft;

/** Puts values into the fields of a form.
 * @param {HTMLFormElement} form @param {URLSearchParams} values */
function put(form, values) {
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement)) continue;
    if (!field.name || field.type === "hidden" || field.type === "file") continue;
    if (field instanceof HTMLInputElement && field.type === "checkbox") {
      field.checked = values.getAll(field.name).includes(field.value);
    } else if (values.has(field.name)) {
      field.value = values.get(field.name) ?? "";
    }
  }
}

/** Keeps a form's values while it is filled in, and brings them back.
 * @param {HTMLFormElement} form */
function draft(form) {
  const kept = localStorage.getItem(key(form));
  const note = form.querySelector("[data-draft-note]");
  if (kept && (form.dataset.drafts !== undefined || !form.querySelector("[data-invalid]"))) {
    const values = new URLSearchParams(kept);
    if (values.get("revision") === form.dataset.revision) {
      put(form, values);
      if (note) note.textContent = "Your draft is back. Nothing of it is saved yet.";
      if (form.dataset.depends !== undefined) depend(form).then(() => put(form, values));
    } else {
      localStorage.removeItem(key(form));
    }
  }
  form.addEventListener("input", () => {
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "state") values.append(name, value);
    values.set("revision", form.dataset.revision ?? "");
    localStorage.setItem(key(form), values.toString());
    if (note) note.textContent = "Draft kept in this browser.";
  });
  form.addEventListener("reset", () => {
    localStorage.removeItem(key(form));
    if (note) note.textContent = "";
  });
}

/** Shows and hides what depends on what was entered: the server says what a page has. What is there stays as it is.
 * @param {HTMLFormElement} form */
async function depend(form) {
  const values = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") values.append(name, value);
  values.set("go", "update");
  const answer = await fetch(form.action, { method: "POST", body: values, headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const state = /** @type {HTMLInputElement | null} */ (form.elements.namedItem("state"));
  const next = /** @type {HTMLInputElement | null} */ (fresh.querySelector("form#guided input[name=state]"));
  const items = form.querySelector("[data-items]");
  if (!state || !next || !items) return;
  state.value = next.value;
  const all = [...fresh.querySelectorAll("form#guided [data-items] > [id]")].map((item) => {
    const here = document.getElementById(item.id);
    return here && here.querySelector("input, select, textarea") ? here : item;
  });
  const note = form.querySelector("[data-draft-note]");
  if (note && all.some((item) => !items.contains(item) && item.querySelector("input, select, textarea"))) note.textContent = "There is more to fill in.";
  for (const item of [...items.children]) if (!all.includes(item)) item.remove();
  for (const [at, item] of all.entries()) if (items.children[at] !== item) items.insertBefore(item, items.children[at] ?? null);
}

/** Removes the drafts of the form that was sent, once it is saved: those of its other pages, too. */
function discard() {
  const sent = sessionStorage.getItem("sent");
  if (!sent || !document.querySelector("[data-saved]")) return;
  for (const name of Object.keys(localStorage)) if (`${name} `.startsWith(`${sent} `)) localStorage.removeItem(name);
  sessionStorage.removeItem("sent");
}

/** Counts the items of a list anew, after one was added or removed. Their fields' names and ids have the number.
 * @param {Element} list */
function items(list) {
  const rows = [...list.querySelectorAll(":scope > [data-item]")];
  const prefix = (/** @type {HTMLElement} */ (list).dataset.list ?? "") + "/";
  for (const [at, row] of rows.entries()) {
    for (const attribute of ["name", "id", "for", "aria-describedby"]) {
      for (const field of row.querySelectorAll(`[${attribute}]`)) {
        const name = field.getAttribute(attribute) ?? "";
        if (name.startsWith(prefix)) field.setAttribute(attribute, prefix + at + name.slice(prefix.length).replace(/^[^/-]*/, ""));
      }
    }
  }
}

/** @param {MouseEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const add = target.closest("[data-add]");
  if (add) {
    const list = add.closest("[data-list]");
    const template = list?.querySelector(":scope > template");
    if (list && template instanceof HTMLTemplateElement) {
      const item = template.content.cloneNode(true);
      list.insertBefore(item, template);
      items(list);
      const rows = list.querySelectorAll(":scope > [data-item]");
      /** @type {HTMLElement | null} */ (rows[rows.length - 1]?.querySelector("input, select, textarea"))?.focus();
    }
  }
  const clear = target.closest("[data-document-clear]")?.closest("[data-document]");
  if (clear) hold(clear, "", null);
  const remove = target.closest("[data-remove]");
  if (remove) {
    const list = remove.closest("[data-list]");
    remove.closest("[data-item]")?.remove();
    if (list) items(list);
    remove.closest("form")?.dispatchEvent(new Event("input"));
  }
}

/** Sends files to the API, one after the other, and shows how far it is.
 * @param {HTMLElement} zone @param {FileList} files */
async function upload(zone, files) {
  const progress = zone.querySelector("progress");
  const status = zone.querySelector("[data-status]");
  for (const file of files) {
    const name = zone.querySelector("select")?.value ?? "";
    const failed = await new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", zone.dataset.upload ?? "");
      request.upload.onprogress = (event) => {
        if (progress && event.lengthComputable) {
          progress.hidden = false;
          progress.max = event.total;
          progress.value = event.loaded;
        }
      };
      request.onload = () => resolve(request.status < 300 ? "" : explain(request.responseText));
      request.onerror = () => resolve("The connection broke. Send the file again.");
      const form = new FormData();
      form.append("key", name);
      form.append("file", file);
      if (status) status.textContent = `Sending ${file.name}`;
      request.send(form);
    });
    if (failed) {
      if (status) status.textContent = `${file.name}: ${failed}`;
      if (progress) progress.hidden = true;
      return;
    }
  }
  location.reload();
}

/** Uploads a file, and makes it the value of a field.
 * @param {Element} box @param {File} file */
async function attach(box, file) {
  const status = box.querySelector("[data-status]");
  const say = (/** @type {string} */ text) => { if (status) status.textContent = text; };
  say(`Sending ${file.name}`);
  box.toggleAttribute("data-sending", true);
  try {
    const made = await fetch("/documents", { method: "POST", body: new URLSearchParams({ filename: file.name }) });
    const page = new DOMParser().parseFromString(await made.text(), "text/html");
    const { to, value } = /** @type {HTMLElement | null} */ (page.querySelector("[data-to]"))?.dataset ?? {};
    if (!to) throw new Error(`${file.name}: The server did not take the file.`);
    const type = file.type || "application/octet-stream";
    const sent = await fetch(to, { method: "PUT", body: file, headers: { "Content-Type": type } });
    if (!sent.ok) throw new Error(`${file.name}: ${explain(await sent.text())}`);
    hold(box, value ?? "", page.querySelector("[data-document-name]"));
    say("");
  } catch (failed) {
    say(failed instanceof TypeError ? "The connection broke. Choose the file again." : failed.message);
  }
  box.toggleAttribute("data-sending", false);
}

/** Sets the document that a field holds.
 * @param {Element} box @param {string} value @param {Element | null} link */
function hold(box, value, link) {
  const held = /** @type {HTMLInputElement | null} */ (box.querySelector("input[type=hidden]"));
  if (held) held.value = value;
  box.querySelector("[data-document-links]")?.replaceChildren(...(link ? [document.adoptNode(link)] : []));
  box.querySelector("[data-document-clear]")?.toggleAttribute("hidden", !link);
  held?.form?.dispatchEvent(new Event("input"));
}

/** @param {string} problem */
function explain(problem) {
  try {
    return JSON.parse(problem).detail;
  } catch {
    return "The server did not take the file.";
  }
}

/** Forgets all drafts when somebody has signed out: the next person at this browser is another. */
function forget() {
  if (location.pathname !== "/sign-in" || !location.search.includes("out=")) return;
  for (const name of Object.keys(localStorage)) if (name.startsWith("draft ")) localStorage.removeItem(name);
  sessionStorage.clear();
}

export function forms() {
  forget();
  discard();
  for (const form of document.querySelectorAll("form[data-draft]")) draft(/** @type {HTMLFormElement} */ (form));
  document.addEventListener("click", pressed);
  for (const found of document.querySelectorAll("[data-upload]")) {
    const zone = /** @type {HTMLElement} */ (found);
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      if (event.dataTransfer) upload(zone, event.dataTransfer.files);
    });
    zone.querySelector("input[type=file]")?.addEventListener("change", (event) => {
      const files = /** @type {HTMLInputElement} */ (event.target).files;
      if (files) upload(zone, files);
    });
  }
  document.addEventListener("submit", (event) => {
    if (/** @type {HTMLFormElement} */ (event.target).querySelector("[data-sending]")) return event.preventDefault();
    const { draft, drafts = draft } = /** @type {HTMLFormElement} */ (event.target).dataset;
    if (drafts) sessionStorage.setItem("sent", `draft ${location.pathname} ${drafts}`);
  });
  document.addEventListener("change", (event) => {
    const field = /** @type {HTMLElement} */ (event.target);
    const box = field.closest("[data-document]");
    const file = /** @type {HTMLInputElement} */ (field).files?.[0];
    if (box && file) {
      attach(box, file);
      /** @type {HTMLInputElement} */ (field).value = ""; // the same file may be chosen again
    }
    const depends = field.closest("form[data-depends]");
    if (depends) depend(/** @type {HTMLFormElement} */ (depends));
    if (field.dataset.submit !== undefined) /** @type {HTMLInputElement} */ (field).form?.requestSubmit();
  });
  /** @type {HTMLElement | null} */ (document.querySelector("[data-invalid] :is(input, select, textarea), [autofocus]"))?.focus();
}
