// Finding words, filtering by who speaks, and copying with times.

const searchField = byId("search"), hitCount = byId("hits"), filter = byId("filter");
const previousHit = byId("previous"), nextHit = byId("next");
const plain = (text) => text.toLocaleLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, " ").trim();

const plainTexts = new WeakMap(); // turn -> its text as it is searched
const plainText = (turn) => {
  if (!plainTexts.has(turn)) {
    const text = turn.words ? joined(turn.words.map((word) => word.text)) : turn.el.querySelector("p").textContent;
    plainTexts.set(turn, plain(text));
  }
  return plainTexts.get(turn);
};

let hits = []; // of { turn, first, last }: numbers of words
let hitsOf = new Map(); // turn -> its hits
let hit = -1;

const isHidden = (turn) => filter.value !== "" && voiceKey(turn) !== filter.value;

const findIn = (turn, wanted) => {
  const words = wordsOf(turn), begins = [], own = [];
  let text = "", before = "";
  for (const word of words) {
    const said = plain(word.text);
    if (said) text += before ? between(before, said) : "";
    begins.push(text.length);
    text += said;
    before = said || before;
  }
  let first = 0;
  for (let place = text.indexOf(wanted); place >= 0; place = text.indexOf(wanted, place + wanted.length)) {
    while (first + 1 < begins.length && begins[first + 1] <= place) first += 1;
    let last = first;
    while (last + 1 < begins.length && begins[last + 1] < place + wanted.length) last += 1;
    own.push({ turn, first, last });
  }
  return own;
};

const paintHits = (turn) => {
  if (!turn.spans) return;
  for (const span of turn.spans) span.classList.remove("hit", "here");
  for (const item of hitsOf.get(turn) || []) {
    for (let index = item.first; index <= item.last; index += 1) {
      turn.spans[index]?.classList.add("hit");
      if (item === hits[hit]) turn.spans[index]?.classList.add("here");
    }
  }
};
decorators.push(paintHits);

const countHits = () => {
  const wanted = plain(searchField.value);
  hitCount.textContent = !wanted ? "" : hit >= 0 ? `${hit + 1} of ${hits.length}` : hits.length === 1 ? "1 hit" : `${hits.length} hits`;
  previousHit.disabled = nextHit.disabled = !hits.length;
};

const find = () => {
  const before = hitsOf;
  const wanted = plain(searchField.value);
  hits = [];
  hitsOf = new Map();
  hit = -1;
  if (wanted) {
    for (const turn of state.turns) {
      if (isHidden(turn) || !plainText(turn).includes(wanted)) continue;
      const own = findIn(turn, wanted);
      if (own.length) { hitsOf.set(turn, own); hits.push(...own); }
    }
  }
  for (const turn of new Set([...before.keys(), ...hitsOf.keys()])) paintHits(turn);
  countHits();
};

const goTo = (step) => {
  if (!hits.length) return;
  const from = hits[hit];
  hit = hit < 0 && step < 0 ? hits.length - 1 : (hit + step + hits.length) % hits.length;
  const { turn, first } = hits[hit];
  hydrate(turn);
  if (from) paintHits(from.turn);
  paintHits(turn);
  const word = wordsOf(turn)[first];
  turn.spans[first].scrollIntoView({ block: "center" });
  if (!isPlaying() && Number.isFinite(word.start)) seek(word.start, false, [turn, first]);
  countHits();
};

searchField.addEventListener("input", find);
searchField.addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); goTo(event.shiftKey ? -1 : 1); }
  if (event.key === "Escape") { searchField.value = ""; find(); searchField.blur(); }
});
previousHit.addEventListener("click", () => goTo(-1));
nextHit.addEventListener("click", () => goTo(1));
keys["/"] = () => { searchField.focus(); searchField.select(); };
keys.n = () => goTo(1);
keys.p = () => goTo(-1);

// Who is to be seen.
const applyFilter = () => {
  for (const turn of state.turns) turn.el.hidden = isHidden(turn);
  main.classList.toggle("filtered", filter.value !== "");
};
const listVoices = () => {
  const heard = voices().filter((voice) => nameOf(voice));
  byId("filtering").hidden = heard.length < 2;
  const chosenVoice = filter.value;
  filter.replaceChildren(
    create("option", { value: "", textContent: "all" }),
    ...heard.map((voice) => create("option", { value: voiceKey(voice), textContent: nameOf(voice) })),
  );
  filter.value = heard.some((voice) => voiceKey(voice) === chosenVoice) ? chosenVoice : "";
};
filter.addEventListener("change", () => {
  applyFilter();
  find();
  const count = state.turns.filter((turn) => !isHidden(turn)).length;
  say(filter.value ? `${count} paragraph${count === 1 ? "" : "s"} of ${filter.selectedOptions[0].textContent}` : "");
});
listVoices();
onChange((before) => {
  listVoices();
  if (before.turns !== state.turns) {
    if (filter.value) applyFilter();
    else for (const turn of state.turns) if (turn.el.hidden) turn.el.hidden = false;
    main.classList.toggle("filtered", filter.value !== "");
    if (searchField.value) find();
  }
});

// Copying: what is selected, else all that is to be seen, a line a paragraph.
const line = (turn) => {
  const time = Number.isFinite(turn.start) ? `[${clock(turn.start)}] ` : "";
  const name = nameOf(turn);
  return `${time}${name ? `${name}: ` : ""}${turn.el.querySelector("p").textContent}`;
};
let copying = null;
document.addEventListener("copy", (event) => {
  if (copying === null) return;
  event.clipboardData.setData("text/plain", copying);
  event.preventDefault();
});
byId("copy").addEventListener("click", async () => {
  const range = getSelection().isCollapsed ? null : getSelection().getRangeAt(0);
  const within = range && main.contains(range.commonAncestorContainer);
  const wanted = state.turns.filter((turn) => !isHidden(turn) && (!within || range.intersectsNode(turn.el)));
  copying = wanted.map(line).join("\n") + "\n";
  let done = false;
  try { done = document.execCommand("copy"); } catch { /* tried another way below */ }
  if (!done) done = await navigator.clipboard?.writeText(copying).then(() => true, () => false);
  copying = null;
  say(done ? `Copied ${wanted.length} paragraph${wanted.length === 1 ? "" : "s"} with times.` : "The browser does not let a page copy.");
});
