export const demoNetwork = (): Uint8Array => new Uint8Array();
