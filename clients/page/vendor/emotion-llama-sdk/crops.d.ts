/** Crops of the face, which go with their clip in one `.npz` file. */
/**
 * The number of crops in these bytes.
 *
 * @throws TypeError - They are no whole number of crops.
 */
export declare function countCrops(crops: Uint8Array): number;
/** A container of a clip and its crops. */
export declare function pack(clip: Blob, crops: Uint8Array): Promise<Blob>;
