// The making page. The preview is the server's own rendering, so this script only decides when to
// ask for it: after a pause in typing, one at a time, the old picture staying until the new one is
// there. It also puts an offered wording into its place. Markup: docs/frontend.md.

const PREVIEW_PAUSE_MS = 250;
const SLOW_AFTER_MS = 400;

const form = document.querySelector("form[data-making]");
const picture = document.querySelector("img[data-preview]");

/** The form's words as a query; files and the token stay out of addresses. */
function previewQuery() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && name !== "csrf_token") {
      query.append(name, value);
    }
  }
  return query.toString();
}

class Preview {
  constructor(image) {
    this.image = image;
    this.address = image.dataset.preview;
    this.slowWords = document.querySelector("[data-preview-slow]");
    this.failedWords = document.querySelector("[data-preview-failed]");
    this.shown = previewQuery();
    this.wanted = this.shown;
    this.loading = false;
  }

  schedule() {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.want(previewQuery()), PREVIEW_PAUSE_MS);
  }

  want(query) {
    this.wanted = query;
    if (!this.loading && query !== this.shown) {
      this.load(query);
    }
  }

  async load(query) {
    this.loading = true;
    const slow = setTimeout(() => this.say(this.slowWords), SLOW_AFTER_MS);
    const next = new Image();
    next.src = `${this.address}?${query}`;
    try {
      await next.decode();
      this.image.src = next.src;
      this.say(null);
    } catch {
      this.say(this.failedWords);
    } finally {
      clearTimeout(slow);
      this.shown = query;
      this.loading = false;
    }
    // more was typed meanwhile: only the latest words matter
    if (this.wanted !== query) {
      this.load(this.wanted);
    }
  }

  say(words) {
    for (const each of [this.slowWords, this.failedWords]) {
      if (each) {
        each.hidden = each !== words;
      }
    }
  }
}

/** Where the finding stands in the value now: its own place, or, if words moved, the nearest equal. */
function spanNow(characters, finding, start, end) {
  const length = end - start;
  const fits = (at) => characters.slice(at, at + length).join("") === finding;
  if (!finding || fits(start)) {
    return start;
  }
  let nearest = -1;
  for (let at = 0; at + length <= characters.length; at += 1) {
    if (fits(at) && (nearest < 0 || Math.abs(at - start) < Math.abs(nearest - start))) {
      nearest = at;
    }
  }
  return nearest;
}

/** Put the suggestion in place of the span; spans count code points, as the checker does. */
function adopt(button) {
  const control = form.elements.namedItem(button.dataset.adopt);
  if (!control) {
    return false;
  }
  const characters = Array.from(control.value);
  const start = Number(button.dataset.start);
  const length = Number(button.dataset.end) - start;
  const at = spanNow(characters, button.dataset.text, start, start + length);
  if (at >= 0) {
    const before = characters.slice(0, at).join("");
    const after = characters.slice(at + length).join("");
    control.value = before + button.dataset.suggestion + after;
    const caret = (before + button.dataset.suggestion).length;
    control.focus();
    control.setSelectionRange?.(caret, caret);
  }
  // also where the words are gone already: the hints below are then out of date
  control.dispatchEvent(new Event("adopted", { bubbles: true }));
  return true;
}

/** How many characters are left, in the characters a reader counts. */
function showRoom(control) {
  const words = document.querySelector(`[data-count-for="${control.id}"]`);
  const most = Number(control.dataset.maxlength);
  if (words && most) {
    words.textContent = `${Array.from(control.value).length} / ${most}`;
  }
}

if (form) {
  const preview = picture ? new Preview(picture) : null;

  // not one event for both: the field asks for its hints on either, and would ask twice
  for (const kind of ["input", "adopted"]) {
    form.addEventListener(kind, (event) => {
      showRoom(event.target);
      preview?.schedule();
    });
  }

  form.addEventListener("change", () => preview?.schedule());

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-adopt]");
    if (button && adopt(button)) {
      event.preventDefault();
    }
  });

  form.querySelectorAll("[data-maxlength]").forEach(showRoom);
}
