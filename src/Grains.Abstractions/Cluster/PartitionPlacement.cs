using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// Rendezvous hashing with room: each node has room for an equal share of a topic's partitions (shares differ by one at most), and every partition
/// goes to the node that it scores highest with among those that have room left. So a node that joins or leaves moves about its own share and
/// little else. Pure: the same question has the same answer in every process.
/// </summary>
public static class PartitionPlacement
{
    /// <summary>
    /// The room that each node has for a topic's partitions: equal shares, and what does not divide goes one each to the nodes with the
    /// smallest load among those that the topic scores highest with, one more of them than is needed. That choice keeps the whole as even as the
    /// topics, and leaves most topics where they are when a node joins or leaves.
    /// </summary>
    /// <param name="load">Partitions that each node has of other topics.</param>
    public static int[] RoomOf(Guid topicId, int partitionCount, IReadOnlyList<int> nodeIds, IReadOnlyList<long> load)
    {
        var room = new int[nodeIds.Count];
        Array.Fill(room, partitionCount / nodeIds.Count);
        var left = partitionCount % nodeIds.Count;
        if (left == 0)
            return room;
        Span<byte> key = stackalloc byte[24];
        topicId.TryWriteBytes(key);
        var byScore = new (ulong Score, int Node)[nodeIds.Count];
        for (var node = 0; node < nodeIds.Count; node++)
            byScore[node] = (Score(key, -1, nodeIds[node]), node);
        Array.Sort(byScore, static (one, other) => other.CompareTo(one));
        foreach (var (_, node) in byScore.Take(left + 1).OrderBy(choice => load[choice.Node]).Take(left))
            room[node]++;
        return room;
    }

    /// <summary>For each partition of the topic the position in <paramref name="nodeIds"/> of the node that it belongs on.</summary>
    /// <param name="topicId">Partitions of different topics are spread independently.</param>
    /// <param name="partitionCount">0 or more.</param>
    /// <param name="nodeIds">Distinct, at least one.</param>
    /// <param name="room">Of each node; in all as much as there are partitions.</param>
    public static int[] Place(Guid topicId, int partitionCount, IReadOnlyList<int> nodeIds, IReadOnlyList<int> room)
    {
        Span<byte> key = stackalloc byte[24];
        topicId.TryWriteBytes(key);
        var left = room.ToArray();
        var choices = new (ulong Score, int Partition, int Node)[partitionCount * nodeIds.Count];
        for (var partition = 0; partition < partitionCount; partition++)
        {
            for (var node = 0; node < nodeIds.Count; node++)
                choices[(partition * nodeIds.Count) + node] = (Score(key, partition, nodeIds[node]), partition, node);
        }

        // Best scores first, so that who gets a node's last place does not depend on the partitions' order.
        Array.Sort(choices, static (one, other) => other.CompareTo(one));
        var placed = new int[partitionCount];
        Array.Fill(placed, -1);
        foreach (var (_, partition, node) in choices)
        {
            if (placed[partition] >= 0 || left[node] == 0)
                continue;
            placed[partition] = node;
            left[node]--;
        }

        return placed;
    }

    /// <summary>The position of the member that scores highest with that name: one that joins or leaves moves about its own share of all names.</summary>
    /// <param name="members">With distinct node ids, at least one.</param>
    public static int PlaceOne(string name, ImmutableArray<SiloMember> members)
    {
        ArgumentOutOfRangeException.ThrowIfZero(members.Length);
        Span<byte> key = stackalloc byte[24];
        var (first, second) = (14695981039346656037UL, 0xcbf29ce484222325UL ^ 0x9e3779b97f4a7c15UL);
        foreach (var character in name)
        {
            first = (first ^ character) * 1099511628211UL;
            second = (second ^ character) * 1099511628211UL;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(key, first);
        BinaryPrimitives.WriteUInt64LittleEndian(key[8..], second);
        var best = 0;
        var bestScore = Score(key, -1, members[0].NodeId);
        for (var index = 1; index < members.Length; index++)
        {
            var score = Score(key, -1, members[index].NodeId);
            if (score > bestScore)
                (best, bestScore) = (index, score);
        }

        return best;
    }

    /// <summary>FNV-1a, then the finishing steps of MurmurHash3, which spread what FNV leaves in the low bits.</summary>
    private static ulong Score(Span<byte> key, int partition, int nodeId)
    {
        BinaryPrimitives.WriteInt32LittleEndian(key[16..], partition);
        BinaryPrimitives.WriteInt32LittleEndian(key[20..], nodeId);
        var hash = 14695981039346656037UL;
        foreach (var one in key)
            hash = (hash ^ one) * 1099511628211UL;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return hash ^ (hash >> 33);
    }
}
