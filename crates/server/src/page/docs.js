for (const button of document.querySelectorAll("button[data-path]")) {
  button.onclick = async () => {
    const out = button.nextElementSibling;
    const headers = { "content-type": "application/json" };
    const key = document.getElementById("key").value;
    if (key) headers.authorization = "Bearer " + key;
    out.hidden = false;
    out.textContent = "...";
    try {
      const body = button.previousElementSibling.value;
      const answer = await fetch(button.dataset.path, { method: "POST", headers, body });
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 1); } catch { }
      out.textContent = answer.status + "\n" + shown;
    } catch (e) {
      out.textContent = String(e);
    }
  };
}
