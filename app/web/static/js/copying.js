// Copy a ready text by one tap. Without this script the text stands in a field and can be selected.

const SAID_MS = 2000;

async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    // no clipboard in an older in-app browser, or on plain http
    field.focus();
    field.setSelectionRange(0, field.value.length);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const words = button.querySelector("[data-copy-words]");
  const before = words.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (await copy(field)) {
      words.textContent = words.dataset.copied;
      setTimeout(() => {
        words.textContent = before;
      }, SAID_MS);
    } else {
      field.focus();
      field.setSelectionRange(0, field.value.length);
    }
  });
}
