// A topic's colour and mark: the same on every page and in every browser, for they come from the name alone. The nine hues are told apart with
// any kind of colour vision (Paul Tol's muted scheme), and a mark tells most topics apart that share one. Labels say the same wherever they do.
const hues = 9;
const marks = 7;

function hash(text) {
  let value = 0x811c9dc5;
  for (const unit of new TextEncoder().encode(text)) value = Math.imul(value ^ unit, 0x01000193);
  // The last bytes have hardly reached the upper bits yet: mix (MurmurHash3's finaliser).
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

// Class names for whatever shows the topic.
export function hueOf(topic) {
  const value = hash(topic);
  return `hue-${value % hues} mark-${Math.floor(value / hues) % marks}`;
}
