// Language by button, kept in the address so that a link opens in the reader's language; and printing.
const choose = (lang) => {
  document.documentElement.lang = lang === "en" ? "en" : "zh-CN";
  for (const button of document.querySelectorAll("[data-lang]"))
    button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
};
for (const button of document.querySelectorAll("[data-lang]"))
  button.addEventListener("click", () => {
    choose(button.dataset.lang);
    history.replaceState(null, "", "#lang=" + button.dataset.lang);
  });
document.querySelector("[data-print]").addEventListener("click", () => window.print());
const asked = /lang=(zh|en)/.exec(location.hash);
choose(asked ? asked[1] : document.documentElement.lang === "en" ? "en" : "zh");
