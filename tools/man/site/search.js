// Search in names, headings, errors and the words of each section. All words must occur. What has them in its name or
// heading comes first.
const input = document.getElementById("search");
const found = document.getElementById("found");

function look() {
  const words = input.value.toLowerCase().split(/[^a-z0-9_]+/).filter(Boolean);
  found.replaceChildren();
  if (words.length === 0) return;
  const has = (text) => words.every((word) => text.includes(word));
  const hits = [[], [], []];
  for (const row of names) {
    const [name, , about, rest] = row;
    const head = (name + " " + about).toLowerCase();
    if (has(name.toLowerCase())) hits[0].push(row);
    else if (has(head)) hits[1].push(row);
    else if (has(head + " " + rest)) hits[2].push(row);
  }
  for (const [name, link, about] of hits.flat().slice(0, 30)) {
    const item = document.createElement("li");
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = name;
    item.append(anchor, " " + about);
    found.append(item);
  }
  if (hits.flat().length === 0) found.textContent = "nothing found";
}

input.addEventListener("input", look);
input.addEventListener("keydown", (event) => {
  const first = found.querySelector("a");
  if (event.key === "Enter" && first) location.href = first.href;
});
