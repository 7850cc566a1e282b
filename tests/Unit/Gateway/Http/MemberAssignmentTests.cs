using System.Buffers.Binary;
using System.Text;
using Granary.Gateway.Http;

namespace Granary.Unit.Gateway.Http;

/// <summary>What is made of the bytes that a group's leader wrote.</summary>
public sealed class MemberAssignmentTests
{
    [Fact]
    public void Read_OfSeveralTopics_GivesTheirPartitions() => Assert.Equal(
        [("orders", 0), ("orders", 2), ("payments", 1)],
        MemberAssignment.Read(Write(("orders", [0, 2]), ("nothing-of-it", []), ("payments", [1])), 3));

    [Fact]
    public void Read_OfManyPartitions_MakesTheNameOnce()
    {
        var bytes = Write((new string('t', 249), [.. Enumerable.Range(0, 10_000)]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var read = MemberAssignment.Read(bytes, 10_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(10_000, read.Count);
        Assert.InRange(allocated, 0, 1_000_000);
    }

    [Fact]
    public void Read_OfMorePartitionsThanAreAllowed_ShowsNone()
    {
        Assert.Empty(MemberAssignment.Read(Write(("a", [0, 1]), ("b", [0, 1])), 3));
        Assert.Empty(MemberAssignment.Read(Write(("a", [0])), 0));
    }

    [Theory]
    [InlineData(250)]
    [InlineData(32_767)]
    public void Read_OfALongerNameThanATopicHas_ShowsNone(int length) => Assert.Empty(MemberAssignment.Read(Write((new string('t', length), [0])), 10));

    [Fact]
    public void Read_OfSomethingElse_ShowsNone()
    {
        var whole = Write(("orders", [0, 2]));
        for (var length = 0; length < whole.Length; length++)
            Assert.Empty(MemberAssignment.Read(whole.AsSpan(0, length), 10));
        Assert.Empty(MemberAssignment.Read(Write(("no\nname", [0])), 10));
    }

    private static byte[] Write(params (string Name, int[] Partitions)[] topics)
    {
        using var stream = new MemoryStream();
        Put(stream, 2, 1);
        Put(stream, 4, topics.Length);
        foreach (var (name, partitions) in topics)
        {
            Put(stream, 2, name.Length);
            stream.Write(Encoding.UTF8.GetBytes(name));
            Put(stream, 4, partitions.Length);
            foreach (var partition in partitions)
                Put(stream, 4, partition);
        }

        return stream.ToArray();
    }

    private static void Put(Stream stream, int bytes, int number)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(four, number);
        stream.Write(four[(4 - bytes)..]);
    }
}
