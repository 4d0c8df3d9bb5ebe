// Before anything is drawn: the look that was chosen last time. Without one the system's own is taken.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;

  // A script that does not arrive, as when the network changes meanwhile, would leave a page that does nothing.
  addEventListener("error", (event) => {
    const tries = Number(sessionStorage.getItem("tries") ?? 0);
    if (!(event.target instanceof HTMLScriptElement) || tries >= 5) return;
    sessionStorage.setItem("tries", String(tries + 1));
    setTimeout(() => location.reload(), 500);
  }, true);
})();
