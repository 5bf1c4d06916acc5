// Finds guides, operations, triggers and problems by their words. Without it, the
// page is its own index.
(() => {
  const place = document.getElementById("search");
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Search (press /)";
  input.setAttribute("aria-label", "Search the documentation");
  const list = document.createElement("ul");
  list.setAttribute("role", "list");
  place.append(input, list);

  const score = (entry, words) => {
    const title = entry.title.toLowerCase();
    const all = `${title} ${entry.words}`.toLowerCase();
    if (!words.every((word) => all.includes(word))) return 0;
    return 1 + words.filter((word) => title.includes(word)).length * 2 + (title.startsWith(words[0]) ? 1 : 0);
  };

  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length === 0 ? [] : index
      .map((entry) => ({ entry, score: score(entry, words) }))
      .filter((one) => one.score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, 15);
    list.replaceChildren(...found.map(({ entry }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = entry.href;
      link.textContent = entry.title;
      const kind = document.createElement("small");
      kind.textContent = ` ${entry.kind}`;
      item.append(link, kind);
      return item;
    }));
    if (words.length > 0 && found.length === 0) {
      const nothing = document.createElement("li");
      nothing.textContent = "Nothing is found.";
      list.replaceChildren(nothing);
    }
  };

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const first = list.querySelector("a");
    if (event.key === "Enter" && first) first.click();
    if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
    if (event.key === "Escape") { input.value = ""; show(); input.blur(); }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      window.scrollTo(0, 0);
    }
  });
})();
