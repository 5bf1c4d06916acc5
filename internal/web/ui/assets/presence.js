// A case tells the server that somebody is at it, and shows who else is.

const every = 20_000; // milliseconds; a presence lasts for 45 seconds

export function presence() {
  const place = document.querySelector("[data-presence]");
  if (!(place instanceof HTMLElement)) return;
  const path = place.dataset.presence ?? "";
  const body = new URLSearchParams();

  async function tell() {
    if (document.hidden) return;
    const answer = await fetch(path, { method: "POST", body });
    if (!answer.ok || answer.redirected) return;
    const text = await answer.text();
    if (place && place.innerHTML !== text) place.innerHTML = text; // escaped by the server
  }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    form.addEventListener("input", () => {
      if (body.has("editing")) return;
      body.set("editing", "1");
      tell();
    });
  }
  setInterval(tell, every);
  document.addEventListener("visibilitychange", tell);
  window.addEventListener("pagehide", () => navigator.sendBeacon(`${path}/end`, new URLSearchParams()));
  tell();
}
