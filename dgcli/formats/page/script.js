"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const words = all(".w[data-s]");
  const starts = words.map((word) => Number(word.dataset.s));
  const order = starts.map((_, at) => at).sort((a, b) => starts[a] - starts[b]);
  const audio = document.querySelector("audio");
  const lanes = document.querySelector(".lanes");
  const length = lanes ? Number(lanes.dataset.duration) : 0;
  const head = document.querySelector(".playhead");
  const main = document.querySelector("main");

  // The bar stays at the top of the window: nothing that is scrolled to may end up under it.
  const bar = document.querySelector(".bar");
  const covered = () => Math.max(0, bar.getBoundingClientRect().bottom);
  const keepClear = () => {
    const sticks = getComputedStyle(bar).position === "sticky";
    root.style.scrollPaddingTop = `${sticks ? bar.offsetHeight + 12 : 12}px`;
  };
  keepClear();
  new ResizeObserver(keepClear).observe(bar);

  // The last word that has begun at a time: a binary search, since a page may hold ten hours.
  const wordAt = (time) => {
    let low = 0, high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[order[middle]] <= time) low = middle + 1; else high = middle;
    }
    return low ? words[order[low - 1]] : null;
  };

  let now = null, asked = NaN;
  const show = (time, follow, word) => {
    if (!word) word = wordAt(time);
    if (head && length) {
      head.style.display = "block";
      head.firstElementChild.style.left = `${Math.min(100, (100 * time) / length)}%`;
    }
    if (word === now) return;
    if (now) now.classList.remove("now");
    now = word;
    if (!now) return;
    now.classList.add("now");
    const box = now.getBoundingClientRect();
    if (follow && (box.top < covered() || box.bottom > innerHeight - 40)) now.scrollIntoView({ block: "center" });
  };

  const seek = (time, play, word) => {
    show(time, false, word);
    if (!audio || !audio.currentSrc) return;
    audio.currentTime = asked = time;
    if (play) audio.play().catch(() => {});
  };

  if (audio) {
    const tick = () => {
      show(audio.currentTime + 0.02, true);
      if (!audio.paused) requestAnimationFrame(tick);
    };
    audio.addEventListener("play", () => requestAnimationFrame(tick));
    audio.addEventListener("timeupdate", () => {
      // Several words may begin at one moment: the one that was asked for stays marked.
      if (audio.paused && Math.abs(audio.currentTime - asked) < 0.03) return;
      show(audio.currentTime + 0.02, !audio.paused);
    });
    const chosen = document.querySelector("#recording");
    if (chosen) {
      chosen.addEventListener("change", () => {
        if (!chosen.files.length) return;
        audio.src = URL.createObjectURL(chosen.files[0]);
        audio.hidden = false;
      });
    }
  }

  document.addEventListener("click", (event) => {
    const word = event.target.closest(".w[data-s]");
    const at = event.target.closest(".at[data-s]");
    const lane = event.target.closest(".lane svg");
    if (word && getSelection().isCollapsed) seek(Number(word.dataset.s), true);
    else if (at) seek(Number(at.dataset.s), true);
    else if (lane && length) {
      const box = lane.getBoundingClientRect();
      const time = (length * (event.clientX - box.left)) / box.width;
      seek(time, false);
      const found = wordAt(time);
      if (found) found.scrollIntoView({ block: "center" });
    }
  });

  // From the keyboard: the transcript is one stop of the Tab key; arrows go from word to word in time, Space and
  // Enter play and pause.
  const places = new Map(order.map((word, at) => [words[word], at]));
  main.addEventListener("keydown", (event) => {
    if (event.target !== main || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && order.length) {
      const at = now ? places.get(now) + step : 0;
      const word = words[order[Math.max(0, Math.min(order.length - 1, at))]];
      seek(Number(word.dataset.s), false, word);
      word.scrollIntoView({ block: "nearest" });
    } else if (event.key === " " || event.key === "Enter") {
      if (audio && audio.currentSrc) { if (audio.paused) audio.play().catch(() => {}); else audio.pause(); }
    } else return;
    event.preventDefault();
  });

  // Names are kept by the browser for this recording, where it lets a page keep something.
  const key = `dg:${document.body.dataset.request || location.pathname}`;
  let names = {};
  try { names = JSON.parse(localStorage.getItem(key)) || {}; } catch { names = {}; }
  const rename = (voice, name) => {
    for (const label of all(`.who[data-v="${voice}"]`)) label.textContent = name || label.dataset.name;
  };
  for (const input of all(".names input")) {
    const voice = input.dataset.v;
    if (typeof names[voice] === "string" && names[voice]) {
      input.value = names[voice];
      rename(voice, input.value);
    }
    input.addEventListener("input", () => {
      rename(voice, input.value.trim());
      names[voice] = input.value.trim();
      try { localStorage.setItem(key, JSON.stringify(names)); } catch { /* the page works without */ }
    });
  }

  const search = document.querySelector("#search");
  const count = document.querySelector("#found");
  const plain = (text) => text.toLocaleLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, " ").trim();
  let joined = "", begins = [];
  for (const word of words) {
    const text = plain(word.textContent);
    begins.push(joined.length);
    joined += text ? `${text} ` : "";
  }
  let hits = [], hit = -1;
  const go = (step) => {
    if (!hits.length) return;
    hit = (hit + step + hits.length) % hits.length;
    for (const word of all(".w.here")) word.classList.remove("here");
    hits[hit].classList.add("here");
    hits[hit].scrollIntoView({ block: "center" });
    if (!audio || audio.paused) seek(Number(hits[hit].dataset.s), false, hits[hit]);
    count.textContent = `${hit + 1} of ${hits.length}`;
  };
  search.addEventListener("input", () => {
    for (const word of all(".w.hit")) word.classList.remove("hit", "here");
    hits = [];
    hit = -1;
    const wanted = plain(search.value);
    let word = 0;
    for (let at = wanted ? joined.indexOf(wanted) : -1; at >= 0; at = joined.indexOf(wanted, at + wanted.length)) {
      while (word + 1 < begins.length && begins[word + 1] <= at) word += 1;
      hits.push(words[word]);
      for (let next = word; next < begins.length && begins[next] < at + wanted.length; next += 1) {
        words[next].classList.add("hit");
      }
    }
    count.textContent = wanted ? `${hits.length} found` : "";
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
  });
})();
