// Small helpers. Whatever people wrote gets into the page by textContent only.

export const byId = (id) => document.getElementById(id);

/** An element with properties, attributes (by "aria-..." and "data-..." names) and children. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);

  for (const [name, value] of Object.entries(properties))
    if (name.includes('-') || name === 'role') node.setAttribute(name, value);
    else node[name] = value;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The round picture of a person or group: first letter on a colour of its own. */
export function face(node, id, name) {
  let hue = 0;

  for (const letter of id) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  node.className = `face hue-${Math.floor(hue / 30)}`;
  node.textContent = [...(name || id)][0]?.toUpperCase() ?? '?';
  node.setAttribute('aria-hidden', 'true');
  return node;
}

let toastTimer;

export function toast(text) {
  const node = byId('toast');

  node.textContent = text;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (node.hidden = true), 5000);
}

/** Answer a form by fn; what goes wrong is shown in the place for it. */
export function onSubmit(form, errors, fn) {
  form.addEventListener('submit', async (event) => {
    const button = form.querySelector('button');

    event.preventDefault();
    button.disabled = true;
    errors.textContent = '';
    try {
      await fn();
    } catch (err) {
      errors.textContent = `${err.message} (${err.code ?? '?'})`;
    }
    button.disabled = false;
  });
}

for (const button of document.querySelectorAll('[data-close]'))
  button.addEventListener('click', () => button.closest('dialog').close());
