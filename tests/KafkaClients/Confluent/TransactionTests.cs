using System.Diagnostics;
using Confluent.Kafka;

namespace Granary.KafkaClients.Confluent;

/// <summary>What a client is told that asks for what does not work yet.</summary>
public sealed class TransactionTests(BrokerFixture broker)
{
    [Fact]
    public void InitTransactions_IsRefusedForGoodInsteadOfBeingRepeated()
    {
        using var producer = Topics.Producer(broker.Bootstrap, config => config.TransactionalId = $"x-{Guid.NewGuid():N}");
        var waited = Stopwatch.StartNew();

        var failure = Assert.ThrowsAny<KafkaException>(() => producer.InitTransactions(TimeSpan.FromMinutes(1)));

        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, failure.Error.Code);
        Assert.True(failure.Error.IsFatal, failure.Error.ToString());
        Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), $"it was refused only after {waited.Elapsed}");
    }
}
