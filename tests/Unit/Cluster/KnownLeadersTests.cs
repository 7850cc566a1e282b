using System.Net;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Unit.Cluster;

public sealed class KnownLeadersTests
{
    private static readonly PartitionId s_partition = new(Guid.NewGuid(), 0);

    private readonly SiloAddress _one = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private readonly SiloAddress _other = SiloAddress.New(IPAddress.Loopback, 2, 1);
    private readonly KnownLeaders _known = new();

    [Fact]
    public void Learn_OfAnOlderOrEqualEpoch_ChangesNothing()
    {
        _known.Learn(s_partition, _one, 5);
        _known.Learn(s_partition, _other, 4);
        _known.Learn(s_partition, _other, 5);
        Assert.Equal(new KnownLeader(_one, 5), _known.Find(s_partition));
    }

    [Fact]
    public void Learn_OfTheSameEpoch_FromASiloThatWasSaidToHaveLeft_PutsItBack()
    {
        _known.Learn(s_partition, _one, 5);
        _known.Leave(_one);
        Assert.Equal(new KnownLeader(null, 5), _known.Find(s_partition));
        _known.Learn(s_partition, _one, 5);
        Assert.Equal(new KnownLeader(_one, 5), _known.Find(s_partition));
    }
}
