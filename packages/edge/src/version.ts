/** Of the edge and its protocol; released together. */
export const VERSION = '0.1.0';
