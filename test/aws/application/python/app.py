import os

import boto3


def handler(event, context):
    name = event["name"]
    table = boto3.resource("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(Item={"id": "1", "title": "from DynamoDB"})

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"from S3")

    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=name, Value="from SSM", Type="String")

    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="from Secrets Manager")

    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=os.environ["DECLARED_QUEUE"], MessageBody="stays with openray")
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody="from SQS")

    return [
        table.get_item(Key={"id": "1"})["Item"]["title"],
        s3.get_object(Bucket=name, Key="a")["Body"].read().decode(),
        ssm.get_parameter(Name=name)["Parameter"]["Value"],
        secrets.get_secret_value(SecretId=name)["SecretString"],
        sqs.receive_message(QueueUrl=queue_url)["Messages"][0]["Body"],
        queue_url,
    ]
