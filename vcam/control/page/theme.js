// Before anything is drawn: the look that was chosen last time. Without one the system's own is taken.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
