// Runs before the first paint: the style sheet hides what only a page without scripts needs.
document.documentElement.classList.add("js");
