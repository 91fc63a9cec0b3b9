// C0 and C1 controls (escape sequences of terminals), and marks that turn the direction of text around.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/** Text from a model with everything replaced that could steer a terminal or reorder what a reader sees. */
export const safeText = (text: string): string => text.replace(unsafe, '\ufffd');
