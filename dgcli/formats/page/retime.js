// Text that somebody corrected, on the times of the words that were there: what is still there keeps its time, and
// what replaces a stretch shares the time of that stretch by its length.

const ATOMS = new RegExp(`${UNSPACED.source}|(?:(?!${UNSPACED.source})\\S)+`, "gu");

// The pieces of a text that are compared: words, or characters where words have no spaces between them.
const atomsOf = (text) => Array.from(text.matchAll(ATOMS), (match) => ({ text: match[0], at: match.index }));

// Pairs of equal pieces, in order: a longest common subsequence between what begins and what ends alike.
const MOST = 4e6;
const common = (a, b) => {
  let head = 0, tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const pairs = [];
  for (let k = 0; k < head; k += 1) pairs.push([k, k]);
  const rows = a.length - head - tail, columns = b.length - head - tail;
  if (rows && columns && rows * columns <= MOST) {
    const wide = columns + 1, best = new Uint16Array((rows + 1) * wide);
    for (let i = rows - 1; i >= 0; i -= 1) {
      for (let j = columns - 1; j >= 0; j -= 1) {
        best[i * wide + j] = a[head + i] === b[head + j]
          ? best[(i + 1) * wide + j + 1] + 1
          : Math.max(best[(i + 1) * wide + j], best[i * wide + j + 1]);
      }
    }
    for (let i = 0, j = 0; i < rows && j < columns;) {
      if (a[head + i] === b[head + j]) { pairs.push([head + i, head + j]); i += 1; j += 1; }
      else if (best[(i + 1) * wide + j] >= best[i * wide + j + 1]) i += 1; else j += 1;
    }
  }
  for (let k = tail; k > 0; k -= 1) pairs.push([a.length - k, b.length - k]);
  return pairs;
};

// Words of a new text. Scripts without spaces are divided by the browser; marks stay with the word before them.
const tokens = (text) => {
  const words = [];
  for (const piece of text.split(/\s+/u).filter(Boolean)) {
    if (!UNSPACED.test(piece) || !Intl.Segmenter) { words.push(piece); continue; }
    const own = [];
    let opening = "";
    for (const { segment, isWordLike } of new Intl.Segmenter(document.documentElement.lang || undefined, { granularity: "word" }).segment(piece)) {
      if (!isWordLike && own.length) own[own.length - 1] += segment;
      else if (!isWordLike) opening += segment;
      else { own.push(opening + segment); opening = ""; }
    }
    if (opening) own.push(opening);
    words.push(...own);
  }
  return words;
};

const rounded = (seconds) => Math.round(seconds * 1000) / 1000;

// Times for texts from `start` to `end`, by length.
const shared = (texts, start, end) => {
  const whole = texts.reduce((sum, text) => sum + Array.from(text).length, 0);
  let before = 0;
  return texts.map((text, index) => {
    const first = index ? rounded(start + ((end - start) * before) / whole) : start;
    before += Array.from(text).length;
    const last = index === texts.length - 1 ? end : rounded(start + ((end - start) * before) / whole);
    return [first, last];
  });
};

const bare = (text) => text.toLocaleLowerCase().replace(/^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$/gu, "") || text;

// A word that somebody wrote, as an entry of the response.
const written = (text, start, end, like) => {
  const item = { word: bare(text) };
  if (Number.isFinite(start)) item.start = start;
  if (Number.isFinite(end)) item.end = end;
  item.confidence = 1;
  if (like.language !== undefined) item.language = like.language;
  item.punctuated_word = text;
  for (const name of ["speaker", "speaker_confidence"]) if (like[name] !== undefined) item[name] = like[name];
  return item;
};

const SHORTEST = 0.04; // seconds of a word that nobody can hear shorter

// New words in place of words[i..j), which may be none.
const replaced = (words, i, j, text) => {
  let texts = tokens(text);
  if (!texts.length) return { from: i, words: [] };
  const inserted = i === j;
  const before = words[i - 1], after = words[j];
  let start, end, from = i;
  if (!inserted) { start = words[i].start; end = words[j - 1].end; }
  else {
    // What is new has the pause between two words; where there is none, it shares the time of the word before it.
    start = before.end;
    end = after ? after.start : before.end;
    if (!(end - start >= SHORTEST * texts.length)) {
      texts = [before.text, ...texts];
      start = before.start;
      end = before.end;
      from = i - 1;
    }
  }
  const old = words.slice(from, j);
  const near = old[0] || before;
  const first = old.length ? Math.min(...old.map((word) => word.first)) : before.after;
  const last = old.length ? Math.max(...old.map((word) => word.after)) : first;
  const times = shared(texts, start, end);
  return {
    from,
    words: texts.map((said, index) => ({
      text: said, start: times[index][0], end: times[index][1],
      item: written(said, times[index][0], times[index][1], near.item),
      from: near.from, first, after: last, group: near.group, isNew: true,
    })),
  };
};

// The words of a text that was made of these words by correcting it; null where nothing changed.
const retimed = (words, text) => {
  const wanted = shown(text);
  if (wanted === joined(words.map((word) => word.text).filter(Boolean))) return null;
  const owners = [], old = [];
  words.forEach((word, index) => { for (const atom of atomsOf(word.text)) { owners.push(index); old.push(atom.text); } });
  const atoms = atomsOf(wanted), partner = new Int32Array(old.length).fill(-1);
  for (const [a, b] of common(old, atoms.map((atom) => atom.text))) partner[a] = b;
  // A word is kept when all its pieces are there, one after the other.
  const kept = [];
  for (let a = 0; a < old.length;) {
    let last = a;
    while (last + 1 < old.length && owners[last + 1] === owners[a]) last += 1;
    let whole = partner[a] >= 0;
    for (let k = a + 1; k <= last && whole; k += 1) whole = partner[k] === partner[k - 1] + 1;
    if (whole) kept.push([owners[a], partner[a], partner[last] + 1]);
    a = last + 1;
  }
  // Before the first word there is nothing to share time with but that word.
  if (kept.length && kept[0][0] === 0 && kept[0][1] > 0) kept.shift();
  const made = [];
  let word = 0, atom = 0;
  for (const [index, first, after] of [...kept, [words.length, atoms.length, atoms.length]]) {
    if (words.length && (word < index || atom < first)) {
      const begin = atom < atoms.length ? atoms[atom].at : wanted.length;
      const end = first < atoms.length ? atoms[first].at : wanted.length;
      const own = replaced(words, word, index, atom < first ? wanted.slice(begin, end) : "");
      if (own.from < word) made.pop();
      made.push(...own.words);
    }
    if (index < words.length) made.push(words[index]);
    word = index + 1;
    atom = after;
  }
  return made;
};
