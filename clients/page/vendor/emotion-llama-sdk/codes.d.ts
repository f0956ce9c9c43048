/** The codes by which programs tell errors apart, and the status that each comes with. */
/** The status that a code comes with; older servers gave the status for the code. */
export declare function statusOfCode(code: number | string | null): number | undefined;
