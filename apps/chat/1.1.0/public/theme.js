// The theme that was chosen, before anything is drawn: a page that changes its colours after it was seen flashes.
// Without a choice the system's is taken, by the style sheet alone.

(() => {
  const KEY = "chat.theme";

  function apply(theme) {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }

  apply(localStorage.getItem(KEY));

  addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    choice.value = localStorage.getItem(KEY) ?? "";
    choice.addEventListener("change", () => {
      localStorage.setItem(KEY, choice.value);
      apply(choice.value);
    });
  });
})();
