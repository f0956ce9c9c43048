/** What is made of an answer: its headers, and its body as what was asked for. */

import { InvalidAnswer } from './errors.js';
import { parseObject } from './json.js';
import { askedPause } from './retry.js';

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

export function headOf(response: Response): Head {
  const kind = response.headers.get('Content-Type') ?? '';
  return {
    status: response.status,
    requestId: response.headers.get('X-Request-Id') ?? undefined,
    contentType: kind.replace(/;.*/s, '').trim().toLowerCase(),
    retryAfter: askedPause(response.headers.get('Retry-After')),
  };
}

/**
 * The body of an answer.
 *
 * @param mark - A field without which it is another one's; without it, any object will do.
 * @throws {@link InvalidAnswer} It is another one's.
 */
export function parse<T extends object>({ head, text }: Answer, mark?: keyof T & string): T {
  const body = parseObject(text);
  if (body === undefined || (mark && !(mark in body))) {
    const start = JSON.stringify(text.slice(0, 200));
    throw new InvalidAnswer(`No Emotion-LLaMA server of this version answered: ${start}`, head);
  }
  return body as T;
}

/**
 * See that an answer is of this Content-Type; `name` is what a message calls it.
 *
 * @throws {@link InvalidAnswer} It is of another.
 */
export function expectType(head: Head, kind: string, name = kind): void {
  if (head.contentType !== kind) {
    const came = head.contentType || 'of no type';
    throw new InvalidAnswer(`${name} was requested, but the answer is ${came}.`, head);
  }
}
