// Unpacks gzip in one go (RFC 1951 and 1952): the browser's own unpacker answers later, and printing does not wait.
// It reads what this page packed itself, so it checks nothing.
function inflated(packed) {
  const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
  const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
  const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
  const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
  const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  const size = new DataView(packed.buffer, packed.byteOffset + packed.length - 4).getUint32(0, true);
  const out = new Uint8Array(size);
  let at = 0; // written so far
  let place = 10; // after the header, which Python writes without optional fields
  let held = 0;
  let count = 0;

  const bits = (wanted) => {
    while (count < wanted) { held |= packed[place++] << count; count += 8; }
    const value = held & ((1 << wanted) - 1);
    held >>>= wanted;
    count -= wanted;
    return value;
  };
  const tree = (lengths) => { // how many codes of each length, and the symbols in the order of their codes
    const counts = new Uint16Array(16);
    lengths.forEach((length) => { counts[length] += 1; });
    counts[0] = 0;
    const starts = new Uint16Array(17);
    for (let length = 1; length < 16; length += 1) starts[length + 1] = starts[length] + counts[length];
    const symbols = new Uint16Array(lengths.length);
    lengths.forEach((length, symbol) => { if (length) symbols[starts[length]++] = symbol; });
    return { counts, symbols };
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; ; length += 1) {
      code |= bits(1);
      const number = counts[length];
      if (code - number < first) return symbols[index + code - first];
      index += number;
      first = (first + number) << 1;
      code <<= 1;
    }
  };
  const fixed = () => {
    const lengths = Array.from({ length: 288 }, (_, value) => (value < 144 ? 8 : value < 256 ? 9 : value < 280 ? 7 : 8));
    return [tree(lengths), tree(new Array(30).fill(5))];
  };
  const dynamic = () => {
    const [literals, distances, codes] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const short = new Array(19).fill(0);
    for (let number = 0; number < codes; number += 1) short[ORDER[number]] = bits(3);
    const of = tree(short);
    const lengths = [];
    while (lengths.length < literals + distances) {
      const value = symbol(of);
      if (value < 16) lengths.push(value);
      else {
        const repeated = value === 16 ? lengths[lengths.length - 1] : 0;
        const times = value === 16 ? bits(2) + 3 : value === 17 ? bits(3) + 3 : bits(7) + 11;
        for (let number = 0; number < times; number += 1) lengths.push(repeated);
      }
    }
    return [tree(lengths.slice(0, literals)), tree(lengths.slice(literals))];
  };

  for (let isLast = 0; !isLast;) {
    isLast = bits(1);
    const kind = bits(2);
    if (kind === 0) { // stored as it is
      held = count = 0;
      const length = packed[place] | (packed[place + 1] << 8);
      out.set(packed.subarray(place + 4, place + 4 + length), at);
      place += 4 + length;
      at += length;
      continue;
    }
    const [literal, distance] = kind === 1 ? fixed() : dynamic();
    for (let value = symbol(literal); value !== 256; value = symbol(literal)) {
      if (value < 256) { out[at++] = value; continue; }
      const length = LENGTHS[value - 257] + bits(LENGTH_BITS[value - 257]);
      const far = symbol(distance);
      const back = DISTANCES[far] + bits(DISTANCE_BITS[far]);
      for (let number = 0; number < length; number += 1, at += 1) out[at] = out[at - back];
    }
  }
  return out;
}
