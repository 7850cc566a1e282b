using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Orleans.Core.Internal;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Grains.Placement;

/// <summary>
/// What a silo practises before it takes part: partitions come to it from every other silo and go back, and are appended to and read on both sides, on
/// PostgreSQL and by the same code as all others. A process does everything for the first time slowly (its code is compiled, its connections are opened);
/// without this the first partitions that move to it would be away for half a second and longer.
/// </summary>
public sealed class Rehearsal(RehearsalTopic topic, IGrainFactory grains, PlacementParts parts)
{
    private const int PartitionsEach = 4;
    private const int BatchesEach = 8;
    private const int Rounds = 2;

    /// <summary>Practises with these silos. A failure, or time that is over, is no reason not to take part.</summary>
    /// <param name="others">Addresses and names.</param>
    public async Task RunAsync(IReadOnlyCollection<(SiloAddress Silo, string Name)> others, CancellationToken cancellation)
    {
        if (others.Count == 0)
            return;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(parts.Options.RehearsalLimit);
        try
        {
            await Task.WhenAll(others.SelectMany(other => Enumerable.Range(0, PartitionsEach).Select(number => PractiseAsync(other.Silo, IndexOf(other.Name, number)))))
                .WaitAsync(limit.Token);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            parts.Diagnostics.NotRehearsed(failure);
        }
    }

    private async Task PractiseAsync(SiloAddress other, int index)
    {
        var grain = grains.GetGrain<IPartitionGrain>(new PartitionId(topic.Topic.TopicId, index).ToKey());
        RequestContext.Set(IPlacementDirector.PlacementHintKey, other);
        await grain.FindOffsetAsync(new OffsetQuery(OffsetQuery.Latest));
        RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        for (var round = 0; round < Rounds; round++)
        {
            await UseAsync(grain);
            await grain.MoveAsync(other, parts.LocalSilo);
            await UseAsync(grain);
            await grain.MoveAsync(parts.LocalSilo, other);
        }

        await grain.DeleteRecordsAsync(-1);
        await grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
    }

    private static async Task UseAsync(IPartitionGrain grain)
    {
        var appends = await Task.WhenAll(Enumerable.Range(0, BatchesEach).Select(_ => grain.AppendAsync(new AppendRequest(new RecordBytes(OneRecord())))));
        foreach (var append in appends.Where(append => append.BaseOffset >= 0))
        {
            await grain.WaitAsync(new WaitRequest(Guid.NewGuid(), append.BaseOffset, TimeSpan.FromMilliseconds(1)));
            await grain.ReadAsync(new ReadRequest(append.BaseOffset, 1 << 16));
        }
    }

    private static byte[] OneRecord()
    {
        var writer = new RecordBatchWriter();
        writer.Append(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), null, new byte[100]);
        return writer.Build();
    }

    /// <summary>The same for every start of this silo, so that what it leaves behind does not grow.</summary>
    private int IndexOf(string other, int number)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{parts.LocalName} with {other}, {number}"));
        return BinaryPrimitives.ReadInt32BigEndian(hash) & int.MaxValue;
    }
}
