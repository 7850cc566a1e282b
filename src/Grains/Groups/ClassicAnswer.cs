using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>The answer to a join or sync that waited under this ticket: one of the two.</summary>
internal readonly record struct ClassicAnswer(long Ticket, JoinResult? Join, SyncResult? Sync);
