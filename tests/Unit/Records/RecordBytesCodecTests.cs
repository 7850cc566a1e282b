using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Records;

public sealed class RecordBytesCodecTests : IDisposable
{
    private readonly ServiceProvider _provider = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private Serializer Serializer => _provider.GetRequiredService<Serializer>();

    public void Dispose() => _provider.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(1_000_000)]
    public void RoundTrip_OfOnePiece_GivesTheSameBytes(int length)
    {
        var bytes = Bytes(length, seed: 1);
        var back = Serializer.Deserialize<AppendRequest>(Serializer.SerializeToArray(new AppendRequest(new RecordBytes(bytes))))!;
        Assert.Equal(bytes, back.Batch.ToContiguous().ToArray());
    }

    [Fact]
    public void RoundTrip_OfPieces_GivesOnePieceWithAllBytes()
    {
        var (first, second, third) = (Bytes(3, seed: 1), Bytes(70_000, seed: 2), Bytes(11, seed: 3));
        var sent = RecordBytes.Of([first, ReadOnlyMemory<byte>.Empty, second, third]);
        var back = Serializer.Deserialize<RecordBytes>(Serializer.SerializeToArray(sent))!;
        Assert.Equal(1, back.Pieces.Length);
        Assert.Equal<byte>([.. first, .. second, .. third], back.ToContiguous().ToArray());
    }

    [Fact]
    public void RoundTrip_OfNull_GivesNull() =>
        Assert.Null(Serializer.Deserialize<RecordBytes?>(Serializer.SerializeToArray<RecordBytes?>(null)));

    [Fact]
    public void RoundTrip_AsObject_KeepsTheType()
    {
        var back = Serializer.Deserialize<object>(Serializer.SerializeToArray<object>(new RecordBytes(Bytes(9, seed: 4))))!;
        Assert.Equal(Bytes(9, seed: 4), Assert.IsType<RecordBytes>(back).ToContiguous().ToArray());
    }

    [Fact]
    public void RoundTrip_OfSharedReferences_KeepsTheObjectGraph()
    {
        var shared = new RecordBytes(Bytes(50, seed: 5));
        var other = new RecordBytes(Bytes(60, seed: 6));
        RecordBytes?[] sent = [shared, RecordBytes.Empty, null, shared, other, other, RecordBytes.Empty];
        var back = Serializer.Deserialize<RecordBytes?[]>(Serializer.SerializeToArray(sent))!;
        Assert.Same(back[0], back[3]);
        Assert.Same(back[4], back[5]);
        Assert.Null(back[2]);
        Assert.True(back[1]!.IsEmpty && back[6]!.IsEmpty);
        Assert.Equal(other.ToContiguous().ToArray(), back[5]!.ToContiguous().ToArray());
    }

    [Fact]
    public void RoundTrip_InsideAResult_KeepsTheFieldsAroundIt()
    {
        var sent = new ReadResult(ErrorCode.None, 10, 9, 3, 7, new RecordBytes(Bytes(500, seed: 7)));
        var back = Serializer.Deserialize<ReadResult>(Serializer.SerializeToArray(sent))!;
        Assert.Equal((10, 9, 3, 7), (back.HighWatermark, back.LastStableOffset, back.LogStartOffset, back.LeaderEpoch));
        Assert.Equal(sent.Records.ToContiguous().ToArray(), back.Records.ToContiguous().ToArray());
    }

    [Fact]
    public void Deserialize_OfATruncatedField_Throws()
    {
        var sent = Serializer.SerializeToArray(new RecordBytes(Bytes(5_000, seed: 8)));
        Assert.ThrowsAny<Exception>(() => Serializer.Deserialize<RecordBytes>(sent.AsSpan(0, 2_000)));
    }

    [Fact]
    public void DeepCopy_GivesTheSameObject()
    {
        var bytes = new RecordBytes(Bytes(5, seed: 9));
        Assert.Same(bytes, _provider.GetRequiredService<DeepCopier>().Copy(bytes));
        var request = new AppendRequest(bytes);
        Assert.Same(bytes, _provider.GetRequiredService<DeepCopier>().Copy(request)!.Batch);
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
