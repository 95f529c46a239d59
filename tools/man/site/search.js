// Search in the list of names: all words must occur in a name or in what it is about.
const input = document.getElementById("search");
const found = document.getElementById("found");

function look() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  found.replaceChildren();
  if (words.length === 0) return;
  const hits = names.filter(([name, , about]) => {
    const text = (name + " " + about).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  for (const [name, link, about] of hits.slice(0, 30)) {
    const item = document.createElement("li");
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = name;
    item.append(anchor, " " + about);
    found.append(item);
  }
  if (hits.length === 0) found.textContent = "nothing found";
}

input.addEventListener("input", look);
input.addEventListener("keydown", (event) => {
  const first = found.querySelector("a");
  if (event.key === "Enter" && first) location.href = first.href;
});
