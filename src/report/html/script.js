(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const theme = document.querySelector(".theme");
  const themes = ["auto", "light", "dark"];
  const names = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
  let shown = 0;
  theme.addEventListener("click", () => {
    shown = (shown + 1) % themes.length;
    if (themes[shown] === "auto") delete root.dataset.theme; else root.dataset.theme = themes[shown];
    theme.textContent = names[themes[shown]];
  });

  const list = document.getElementById("findings");
  if (!list) return;
  const rows = [...list.querySelectorAll(".finding")];
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const search = document.getElementById("search");
  const sort = document.getElementById("sort");
  const state = document.getElementById("state");
  const chosen = document.getElementById("chosen");
  const nothing = document.getElementById("nothing");
  const facets = [...document.querySelectorAll("button[data-facet]")];
  // Facet to the value that is asked for.
  const wanted = new Map();

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      let fits = !state || !state.value || row.dataset.state === state.value;
      for (const [facet, value] of wanted) fits = fits && row.dataset[facet] === value;
      fits = fits && words.every((word) => textOf(row).includes(word));
      row.hidden = !fits;
      if (fits) count += 1;
    }
    for (const button of facets) {
      button.setAttribute("aria-pressed", String(wanted.get(button.dataset.facet) === button.dataset.value));
    }
    chosen.replaceChildren();
    const said = document.createElement("span");
    said.textContent = count === rows.length ? `${count} shown` : `${count} of ${rows.length} shown`;
    chosen.append(said);
    for (const [facet, value] of wanted) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${facet}: ${value || "none"}`;
      button.addEventListener("click", () => { wanted.delete(facet); apply(); });
      chosen.append(button);
    }
    nothing.hidden = count > 0;
  };

  for (const button of facets) {
    button.addEventListener("click", () => {
      const { facet, value } = button.dataset;
      if (wanted.get(facet) === value) wanted.delete(facet); else wanted.set(facet, value);
      apply();
    });
  }
  // A pause in typing: thousands of rows are not gone through for every key.
  let pause = 0;
  search.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(apply, rows.length > 300 ? 120 : 0);
  });
  if (state) state.addEventListener("change", apply);

  const order = rows.map((row, at) => [row, at]);
  const rank = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };
  const time = (row) => (row.dataset.time === undefined ? NaN : Number(row.dataset.time));
  // What has no date comes last either way.
  const byTime = (sign) => (a, b) => {
    const [one, other] = [time(a[0]), time(b[0])];
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other) || a[1] - b[1];
    return sign * (one - other) || a[1] - b[1];
  };
  const orders = {
    place: (a, b) => a[1] - b[1],
    severity: (a, b) => rank[a[0].dataset.severity] - rank[b[0].dataset.severity] || a[1] - b[1],
    newest: byTime(-1),
    oldest: byTime(1),
  };
  sort.addEventListener("change", () => {
    list.append(...[...order].sort(orders[sort.value]).map(([row]) => row));
    list.append(nothing);
  });
  document.getElementById("reset").addEventListener("click", () => {
    wanted.clear();
    search.value = "";
    if (state) state.value = "";
    apply();
  });
  const all = document.getElementById("all");
  all.addEventListener("click", () => {
    const open = all.dataset.open !== "yes";
    for (const row of rows) if (!row.hidden) row.open = open;
    all.dataset.open = open ? "yes" : "no";
    all.textContent = open ? "Close all" : "Open all";
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      search.value = "";
      apply();
    }
  });
  // A link from the timeline opens what it leads to.
  const follow = () => {
    const row = /^#f\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!row) return;
    if (row.hidden) { wanted.clear(); search.value = ""; if (state) state.value = ""; apply(); }
    row.open = true;
    row.scrollIntoView({ block: "center" });
  };
  window.addEventListener("hashchange", follow);
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = rows.filter((row) => !row.hidden && !row.open);
    for (const row of opened) row.open = true;
  });
  window.addEventListener("afterprint", () => { for (const row of opened) row.open = false; });
  apply();
  follow();
})();
