using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

internal sealed class ProduceRequest
{
    public const short ApiKey = 0;
    public const short LowestVersion = 0;
    public const short HighestVersion = 12;

    public string? TransactionalId { get; set; }

    public short Acks { get; set; }

    public int TimeoutMs { get; set; }

    public List<TopicProduceData> TopicData { get; set; } = [];

    public static bool IsFlexible(short version) => version >= 9;

    public static ProduceRequest Read(ref WireReader reader, short version)
    {
        var isFlexible = version >= 9;
        var message = new ProduceRequest();
        if (version >= 3)
        {
            message.TransactionalId = reader.ReadNullableString(isFlexible);
        }

        message.Acks = reader.ReadInt16();
        message.TimeoutMs = reader.ReadInt32();
        var topicdata = reader.ReadCount(isFlexible);
        for (var i = 0; i < topicdata; i++)
            message.TopicData.Add(TopicProduceData.Read(ref reader, version));
        reader.SkipTags(isFlexible);
        return message;
    }

    public void Write(WireWriter writer, short version)
    {
        var isFlexible = version >= 9;
        if (version >= 3)
        {
            writer.WriteString(TransactionalId, isFlexible);
        }

        writer.WriteInt16(Acks);
        writer.WriteInt32(TimeoutMs);
        writer.WriteCount(TopicData.Count, isFlexible);
        foreach (var item in TopicData)
            item.Write(writer, version);
        writer.WriteNoTags(isFlexible);
    }

    internal sealed class TopicProduceData
    {
        public string Name { get; set; } = "";

        public List<PartitionProduceData> PartitionData { get; set; } = [];

        public static TopicProduceData Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new TopicProduceData();
            message.Name = reader.ReadString(isFlexible);
            var partitiondata = reader.ReadCount(isFlexible);
            for (var i = 0; i < partitiondata; i++)
                message.PartitionData.Add(PartitionProduceData.Read(ref reader, version));
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteString(Name, isFlexible);
            writer.WriteCount(PartitionData.Count, isFlexible);
            foreach (var item in PartitionData)
                item.Write(writer, version);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class PartitionProduceData
    {
        public int Index { get; set; }

        public RecordBytes? Records { get; set; }

        public bool IsDefault => !(Index != 0);

        public static PartitionProduceData Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 9;
            var message = new PartitionProduceData();
            message.Index = reader.ReadInt32();
            message.Records = reader.ReadRecords(isFlexible);
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 9;
            writer.WriteInt32(Index);
            writer.WriteRecords(Records, isFlexible);
            writer.WriteNoTags(isFlexible);
        }
    }
}
