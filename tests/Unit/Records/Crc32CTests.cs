using System.Text;
using Granary.Abstractions.Records;
using Xunit;

namespace Granary.Unit.Records;

public sealed class Crc32CTests
{
    // The check values of RFC 3720, B.4, and of the catalogue of CRCs.
    [Fact]
    public void Compute_OfPublishedVectors_GivesThePublishedValues()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    [Fact]
    public void Append_OfAnySplit_EqualsTheWhole()
    {
        var bytes = new byte[1_000];
        new Random(11).NextBytes(bytes);
        var whole = Crc32C.Compute(bytes);
        Assert.Equal(BitByBit(bytes), whole);
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
    }

    private static uint BitByBit(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78u;
        }

        return ~crc;
    }
}
