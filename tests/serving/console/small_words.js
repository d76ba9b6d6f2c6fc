// Words that are smaller than 12 px.
() => [...document.querySelectorAll('body *')].filter((each) => each.checkVisibility() && !each.closest('sub, svg')
  && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && parseFloat(getComputedStyle(each).fontSize) < 12)
  .map((each) => each.textContent.trim().slice(0, 40))
