/** Crops of the face, which go with their clip in one `.npz` file. */
const SIDE = 112;
const CROP_BYTES = SIDE * SIDE * 3;
/**
 * The number of crops in these bytes.
 *
 * @throws TypeError - They are no whole number of crops.
 */
export function countCrops(crops) {
    const count = crops.length / CROP_BYTES;
    if (!Number.isInteger(count) || count === 0) {
        throw new TypeError(`\`faceCrops\` are ${SIDE} x ${SIDE} pixels in RGB, ${CROP_BYTES} bytes each, one after the ` +
            `other; these are ${crops.length} bytes.`);
    }
    return count;
}
/** A container of a clip and its crops. */
export async function pack(clip, crops) {
    const video = new Uint8Array(await clip.arrayBuffer());
    return zipOf([
        ['video.npy', [headerOf([video.length]), video]],
        ['face_crops.npy', [headerOf([countCrops(crops), SIDE, SIDE, 3]), new Uint8Array(crops)]],
    ]);
}
/** The header of a `.npy` file of bytes, whose length is a multiple of 64. */
function headerOf(shape) {
    const told = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},)}`;
    const text = `${told.padEnd(Math.ceil((told.length + 11) / 64) * 64 - 11)}\n`;
    const start = [0x93, ...ascii('NUMPY'), 1, 0, text.length & 0xff, text.length >> 8];
    return new Uint8Array([...start, ...ascii(text)]);
}
/** A zip file without compression. */
function zipOf(files) {
    const parts = [];
    const entries = [];
    let place = 0;
    for (const [name, pieces] of files) {
        const size = sizeOf(pieces);
        const facts = [...u32(checksum(pieces)), ...u32(size), ...u32(size), ...u16(name.length)];
        const common = [...u16(20), ...u16(0), ...u16(0), ...u16(0), ...u16(0x21), ...facts];
        const local = new Uint8Array([...u32(0x04034b50), ...common, ...u16(0), ...ascii(name)]);
        const rest = [...u16(0), ...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(place)];
        entries.push(new Uint8Array([...u32(0x02014b50), ...u16(20), ...common, ...rest, ...ascii(name)]));
        parts.push(local, ...pieces);
        place += local.length + size;
    }
    const counts = [...u16(files.length), ...u16(files.length)];
    const end = [...u32(0x06054b50), ...u32(0), ...counts, ...u32(sizeOf(entries)), ...u32(place)];
    return new Blob([...parts, ...entries, new Uint8Array([...end, ...u16(0)])]);
}
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) {
        value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    }
    return value;
});
/** CRC-32, as zip files have it. */
function checksum(pieces) {
    let value = 0xffffffff;
    for (const piece of pieces) {
        for (const byte of piece) {
            value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
        }
    }
    return ~value >>> 0;
}
function sizeOf(pieces) {
    return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
function ascii(text) {
    return Array.from(text, (letter) => letter.charCodeAt(0));
}
function u16(value) {
    return [value & 0xff, (value >>> 8) & 0xff];
}
function u32(value) {
    return [...u16(value), ...u16(value >>> 16)];
}
