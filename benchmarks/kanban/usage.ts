// Loaded before the kanban by both sides alike: tells over the channel what the process has used.
import { readUsage } from '../agent/application/usage.ts'

process.on('message', () => void process.send?.(readUsage()))
// It must not keep the kanban from ending.
process.channel?.unref()
// Nor may a kanban outlive who measures it.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
