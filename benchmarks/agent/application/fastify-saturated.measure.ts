import { measureApplication } from './measure.ts'

export const measure = (isQuick: boolean): Promise<string> => measureApplication('fastify', isQuick)
