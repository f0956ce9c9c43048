/** What is made of an answer: its headers, and its body as what was asked for. */
/** What an answer's status and headers tell. */
export interface Head {
    status: number;
    requestId?: string;
    /** Without its parameters. */
    contentType: string;
    /** Seconds after which the server wants to be asked again. */
    retryAfter?: number;
}
/** An answer that has come as a whole. */
export interface Answer {
    head: Head;
    text: string;
}
export declare function headOf(response: Response): Head;
/**
 * The body of an answer.
 *
 * @param mark - A field without which it is another one's; without it, any object will do.
 * @throws {@link InvalidAnswer} It is another one's.
 */
export declare function parse<T extends object>({ head, text }: Answer, mark?: keyof T & string): T;
/**
 * See that an answer is of this Content-Type; `name` is what a message calls it.
 *
 * @throws {@link InvalidAnswer} It is of another.
 */
export declare function expectType(head: Head, kind: string, name?: string): void;
