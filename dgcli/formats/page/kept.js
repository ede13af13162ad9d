// Corrections are kept by the browser, where it lets a page keep something, and offered when the page is opened again.
// What is kept goes by a digest of the transcript: a page of another one never gets them.

const KEPT = "dg:corrections:";
const offer = byId("kept");
const places = new Map(origins.map((turn, index) => [turn, index]));
let offered = null; // what was kept before, as long as nobody has decided about it
let keptKey = null;

// FNV-1a, twice, with two multipliers.
const digest = () => {
  let one = 0x811c9dc5, two = 0x811c9dc5, size = 0;
  for (const { channel, speaker, data, el } of origins) {
    const text = `${channel}/${speaker ?? ""}/${data ?? el.querySelector("p").textContent}\n`;
    size += text.length;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      one = Math.imul(one ^ code, 0x01000193);
      two = Math.imul(two ^ code, 0x5bd1e995);
    }
  }
  return [one, two, size].map((value) => (value >>> 0).toString(16)).join("-");
};
const keptUnder = () => (keptKey ??= KEPT + digest());

// A paragraph or word that stayed as it came is only named.
const packed = () => JSON.stringify({
  saved: Date.now(),
  turns: state.turns.map((turn) => places.get(turn) ?? {
    channel: turn.channel, speaker: turn.speaker, from: turn.from,
    words: wordsOf(turn).map((word) => (wordsOf(origins[word.from])[word.first] === word ? [word.from, word.first] : word)),
  }),
});

const wordOf = (value) => {
  if (!Array.isArray(value)) return { ...value, start: number(value.start), end: number(value.end) };
  const word = wordsOf(origins[value[0]])[value[1]];
  if (!word) throw new RangeError("no such word");
  return word;
};

const restored = (text) => JSON.parse(text).turns.map((value) => {
  if (typeof value !== "number") return changed({ ...value, words: value.words.map(wordOf) }, {});
  if (!origins[value]) throw new RangeError("no such paragraph");
  return origins[value];
});

const keep = () => {
  isKept = false;
  if (offered !== null) return; // it would be lost
  try {
    if (state.turns === origins) localStorage.removeItem(keptUnder());
    else localStorage.setItem(keptUnder(), packed());
    isKept = true;
  } catch { /* the browser asks before it closes the page */ }
};
onChange((before) => { if (before.turns !== state.turns) keep(); });

const decide = () => {
  const text = offered;
  offered = null;
  offer.hidden = true;
  return text;
};
byId("restore").addEventListener("click", () => {
  try {
    commit({ turns: restored(decide()) });
    say("The corrections are back; Undo takes them away.");
  } catch {
    say("What was kept is not of this page.");
  }
});
byId("discard").addEventListener("click", () => {
  decide();
  keep();
  say("The corrections that were kept are gone.");
});

try {
  // The digest of a long transcript takes a moment: most pages have nothing kept.
  if (Object.keys(localStorage).some((key) => key.startsWith(KEPT))) offered = localStorage.getItem(keptUnder());
  const saved = offered === null ? NaN : JSON.parse(offered).saved;
  if (Number.isFinite(saved)) {
    byId("kept-on").textContent = `Corrections of ${new Date(saved).toLocaleString()} are kept in this browser.`;
    offer.hidden = false;
  } else offered = null;
} catch { offered = null; }
