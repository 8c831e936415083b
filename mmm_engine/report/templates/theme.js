// Light or dark: the reader's choice, else the system's. Shared by the report and the portfolio.
// Listeners get called after the change.
const theme = (() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];
  let forced = null; // printing is always light
  const read = () => { try { return localStorage.getItem("mmm-theme"); } catch { return null; } };
  const keep = (value) => { try { localStorage.setItem("mmm-theme", value); } catch { /* private window */ } };
  const isDark = () => (forced || document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const tell = () => listeners.forEach((listen) => listen(isDark()));
  const stored = read();
  if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;
  system.addEventListener("change", tell);
  return {
    isDark,
    onChange: (listen) => listeners.push(listen),
    toggle: () => {
      const next = isDark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      keep(next);
      tell();
    },
    force: (value) => { forced = value; tell(); },
  };
})();

function labelThemeButton(button) {
  const write = (dark) => {
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-label", dark ? "Switch to light colours" : "Switch to dark colours");
  };
  write(theme.isDark());
  theme.onChange(write);
  button.addEventListener("click", theme.toggle);
}

// A cell that a spreadsheet would run as a formula is made text again.
function csvCell(text) {
  const plain = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) && !/^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(text) ? "'" + text : text;
  return /[",\n\r]/.test(plain) ? '"' + plain.replaceAll('"', '""') + '"' : plain;
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
